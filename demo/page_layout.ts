/** The frame of every page of the demo: one style, no scripts but the ones named, nothing loaded from elsewhere. */
import { createHash } from 'node:crypto'

const style = `
:root { color-scheme: light dark; --ink: #1c2430; --paper: #f6f7f9; --card: #fff; --line: #d5dae1; --accent: #176b52; --soft: #5b6675 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e7ebf0; --paper: #14181d; --card: #1d232b; --line: #38424e; --accent: #5fc9a3; --soft: #a3aebb }
}
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif }
main { max-width: 42rem; margin: 3rem auto; padding: 2rem; background: var(--card); border: 1px solid var(--line); border-radius: .75rem }
h1 { margin: 0 0 1rem; font-size: 1.6rem; line-height: 1.25 }
h2 { margin: 2rem 0 .5rem; font-size: 1.1rem }
a { color: var(--accent) }
.soft { color: var(--soft) }
.note { margin: 0 0 1.5rem; padding: .75rem 1rem; border-left: 4px solid #b7791f; background: color-mix(in srgb, #b7791f 12%, transparent) }
.error { margin: 0 0 1rem; padding: .75rem 1rem; border-left: 4px solid #c53030; background: color-mix(in srgb, #c53030 12%, transparent) }
label { display: block; margin: 1rem 0 .25rem; font-weight: 600 }
input { width: 100%; padding: .6rem .7rem; font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--line); border-radius: .4rem }
button { margin-top: 1.5rem; padding: .6rem 1.4rem; font: inherit; font-weight: 600; color: var(--card); background: var(--accent); border: 0; border-radius: .4rem; cursor: pointer }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
table { width: 100%; border-collapse: collapse }
th, td { padding: .5rem .6rem; text-align: left; border-bottom: 1px solid var(--line) }
code, pre { font: .875rem/1.5 ui-monospace, monospace }
pre { padding: 1rem; overflow-x: auto; background: var(--paper); border: 1px solid var(--line); border-radius: .4rem }
`

const source = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

export const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)

export interface Page {
  readonly title: string
  /** HTML of the main part, already escaped. */
  readonly main: string
  /** JavaScript that runs on the page. */
  readonly script?: string
}

/** The document and the headers to send it with. */
export const renderPage = ({ title, main, script }: Page): { headers: Record<string, string>; body: string } => {
  const policy = [
    "default-src 'none'",
    `style-src ${source(style)}`,
    'img-src data:',
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ]
  if (script !== undefined) policy.push(`script-src ${source(script)}`, "connect-src 'self'")
  const body = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
<main>
${main}
</main>
${script === undefined ? '' : `<script>${script}</script>`}
</body>
</html>
`
  return {
    headers: {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': policy.join('; '),
      'Cache-Control': 'no-store',
      'Referrer-Policy': 'same-origin',
    },
    body,
  }
}
