/** An element of Go's reference layout `Mon Jan 2 15:04:05 MST 2006`, or text between elements. */
interface LayoutPart {
  readonly element: string | undefined
  readonly text: string
}

/** Elements by their first letters, longest first where one starts another. */
const elements = [
  'January',
  'Jan',
  'Monday',
  'Mon',
  'MST',
  '2006',
  '002',
  '01',
  '02',
  '03',
  '04',
  '05',
  '06',
  '__2',
  '_2',
  '15',
  '1',
  '2',
  '3',
  '4',
  '5',
  'PM',
  'pm',
  '-07:00:00',
  '-070000',
  '-07:00',
  '-0700',
  '-07',
  'Z07:00:00',
  'Z070000',
  'Z07:00',
  'Z0700',
  'Z07',
]

const isDigit = (char: string | undefined): boolean => char !== undefined && char >= '0' && char <= '9'

function elementAt(layout: string, at: number): string | undefined {
  // a year behind an underscore is text and year, not a padded day
  if (layout.startsWith('_2006', at)) return undefined
  const element = elements.find((each) => layout.startsWith(each, at))
  // Go takes "Jan" in "January" only whole, and not in front of another small letter
  if ((element === 'Jan' || element === 'Mon') && /[a-z]/.test(layout[at + 3] ?? '')) return undefined
  if (element !== undefined) return element
  if (layout[at] !== '.' && layout[at] !== ',') return undefined
  const digit = layout[at + 1]
  if (digit !== '0' && digit !== '9') return undefined
  let end = at + 1
  while (layout[end] === digit) end++
  return isDigit(layout[end]) ? undefined : layout.slice(at, end)
}

/** Cuts a layout into its elements and the text between them. */
export function parseLayout(layout: string): LayoutPart[] {
  const parts: LayoutPart[] = []
  let text = ''
  for (let at = 0; at < layout.length;) {
    const element = elementAt(layout, at)
    if (element === undefined) {
      text += layout[at++]
      continue
    }
    if (text !== '') parts.push({ element: undefined, text })
    text = ''
    parts.push({ element, text: element })
    at += element.length
  }
  if (text !== '') parts.push({ element: undefined, text })
  return parts
}
