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
\`mintkeeper explain\`; the HTTP status follows from it. A client sees the message and the reason only from error handlers that are
\`verbose\`.

${table(['code', 'status', 'message', 'what to do'], rows)}
`
}
