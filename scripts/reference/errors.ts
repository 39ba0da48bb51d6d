import { codes } from '../../src/errors.ts'
import { table } from './markdown.ts'

/** Every reason code with its status and what to do about it. */
export function errorReference(): string {
  const rows = Object.entries(codes).map(([code, { status, message, remedy }]) => [
    `\`${code}\``,
    String(status),
    message,
    remedy,
  ])
  return `# Reason codes

A refused request has one of these codes. It stands in the log line (\`reason\`), in the metric \`decisions_total\` (label \`reason\`) and in
\`mintkeeper explain METHOD URL\`, which shows how a request comes to it; the HTTP status follows from it. What keeps a granted request from its
answer stands in \`forward_error\` and in \`upstream_errors_total\`. A client sees the message and the reason only from error handlers that are
\`verbose\`, and never the code: the bodies are Oathkeeper's to the byte. What is answered before the rules are asked, or after the upstream was,
comes from no error handler and names no reason: a request that the front gate refuses gets the message of its status alone, and
\`upstream_…\` codes an empty body. The log line has the details.

${table(['code', 'status', 'message', 'what to do'], rows)}
`
}
