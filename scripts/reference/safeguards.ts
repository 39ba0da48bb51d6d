import { safeguards } from '../../src/config/profile.ts'
import { table } from './markdown.ts'

/** What each profile sets, and how to set it singly. */
export function safeguardReference(): string {
  const rows = Object.entries(safeguards).map(([name, { meaning, oathkeeper, secure }]) => [
    `\`${name}\``,
    meaning,
    `\`${oathkeeper}\``,
    `\`${secure}\``,
  ])
  return `# Profiles and safeguards

\`profile: secure\` switches every safeguard on; \`profile: oathkeeper\`, the default, keeps Oathkeeper's behaviour where changing it would
break a working setup. Each one can be set singly:

\`\`\`yaml
profile: oathkeeper
safeguards:
  path: refuse
  client_headers: drop
\`\`\`

\`mintkeeper validate\` lists the ones that a config leaves to its profile.

${table(['safeguard', 'meaning', 'oathkeeper', 'secure'], rows)}
`
}
