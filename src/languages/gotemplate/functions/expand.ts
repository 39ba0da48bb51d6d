/** Name in a replacement: `$name` takes all letters that could belong to it, `${name}` says where it ends. */
const reference = /\$(?:\$|\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))/gu

/**
 * Expands `$1`, `${1}`, `$name` and `${name}` in the replacement of a regular expression, as Go does; `$$` is a dollar,
 * and a dollar before anything else stays.
 * @param group gives the text of a group by number or name; empty when there is none
 */
export function expand(replacement: string, group: (name: number | string) => string): string {
  if (!replacement.includes('$')) return replacement
  return replacement.replace(reference, (whole, braced?: string, plain?: string) => {
    const name = braced ?? plain
    return name === undefined ? whole.slice(1) : group(groupNumber(name) ?? name)
  })
}

/** Leading zeros make a name of a number, and no group has such a name. */
const groupNumber = (name: string): number | undefined =>
  /^(0|[1-9][0-9]{0,8})$/.test(name) ? Number(name) : undefined
