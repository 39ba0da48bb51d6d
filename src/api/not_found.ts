/** The page for paths that do not exist, and for methods that a path does not have: as Oathkeeper, one and the same. */

const TEXT = 'Error 404 - The requested route does not exist. Make sure you are using the right path, domain, and port.'

const HTML = `<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>404 - Route not found</title></head>
<body><h1>Error 404</h1><p>The requested route does not exist. Make sure you are using the right path, domain, and port.</p></body>
</html>
`

/** `accept` is the request's Accept header: JSON or plain text when it names them first, else HTML. */
export function notFound(accept: string | undefined): Response {
  const type = preferred(accept ?? '')
  if (type === 'application/json')
    return page(`${JSON.stringify({ error: TEXT })}\n`, 'application/json; charset=utf-8')
  if (type === 'text/plain') return page(TEXT, 'text/plain; charset=utf-8')
  return page(HTML, 'text/html; charset=utf-8')
}

const page = (body: string, type: string): Response =>
  new Response(body, { status: 404, headers: { 'content-type': type, 'x-content-type-options': 'nosniff' } })

const OFFERED = new Set(['text/html', 'application/json', 'text/plain'])

function preferred(accept: string): string | undefined {
  for (const part of accept.split(',')) {
    const type = part.split(';', 1)[0]?.trim().toLowerCase() ?? ''
    if (OFFERED.has(type)) return type
  }
  return undefined
}
