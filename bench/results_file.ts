/** `bench/RESULTS.md`: a section for each kind of run, each written by the run that it is of. */
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { format, resolveConfig } from 'prettier'

const file = path.join(import.meta.dirname, 'RESULTS.md')

/** Puts a section in the place of the one of the same title, or behind all others; returns the file's name. */
export const saveSection = async (title: string, text: string): Promise<string> => {
  const before = await readFile(file, 'utf8').catch(() => '# Results\n')
  const sections = before.split(/^(?=## )/m)
  const section = `## ${title}\n\n${text.trim()}\n`
  const index = sections.findIndex((each) => each.startsWith(`## ${title}\n`))
  if (index === -1) sections.push(section)
  else sections[index] = section
  const results = sections.map((each) => each.trim()).join('\n\n')
  await writeFile(file, await format(results, { ...(await resolveConfig(file)), parser: 'markdown' }))
  return path.relative(process.cwd(), file)
}
