const htmlEscapes: Readonly<Record<string, string>> = {
  '\0': '\uFFFD',
  '"': '&#34;',
  "'": '&#39;',
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
}

/** Escapes for HTML text and attributes, as Go's `html` does. */
export const escapeHtml = (text: string): string => text.replace(/[\0"'&<>]/g, (char) => htmlEscapes[char] as string)

const jsEscapes: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  "'": "\\'",
  '"': '\\"',
  '<': '\\u003C',
  '>': '\\u003E',
  '&': '\\u0026',
  '=': '\\u003D',
}

/** Escapes for JavaScript string literals, as Go's `js` does. */
export function escapeJs(text: string): string {
  return text.replace(/[\\'"<>&=]|[^\P{C}\n]|\n|[\u2028\u2029]/gu, (char) => {
    const known = jsEscapes[char]
    if (known !== undefined) return known
    let out = ''
    for (let at = 0; at < char.length; at++) {
      out += `\\u${char.charCodeAt(at).toString(16).toUpperCase().padStart(4, '0')}`
    }
    return out
  })
}

/** Escapes for a URL's query, as Go's url.QueryEscape does: spaces become `+`. */
export function escapeQuery(text: string): string {
  return encodeURIComponent(text.toWellFormed())
    .replaceAll('%20', '+')
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
}
