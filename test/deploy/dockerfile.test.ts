import { existsSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { cli } from '../cli/run.ts'
import { isPinned, root, text } from './files.ts'

interface Instruction {
  readonly name: string
  readonly value: string
}

const instructions: Instruction[] = text('Dockerfile')
  .replaceAll(/^#.*\n/gmu, '')
  .replaceAll(/\\\n\s*/gu, '')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => ({ name: line.slice(0, line.indexOf(' ')), value: line.slice(line.indexOf(' ') + 1) }))
const start = instructions.findLastIndex(({ name }) => name === 'FROM')
const build = instructions.slice(0, start)
const final = instructions.slice(start)

const values = (stage: readonly Instruction[], name: string): string[] =>
  stage.filter((instruction) => instruction.name === name).map(({ value }) => value)
const exec = (value: string | undefined): string[] => JSON.parse(value?.slice(value.indexOf('[')) ?? '[]') as string[]

describe('Dockerfile', () => {
  it('starts from images of one version', () => {
    const images = values(instructions, 'FROM').map((value) => value.split(' ')[0] ?? '')
    expect(images).toHaveLength(2)
    expect(images.filter((image) => !isPinned(image))).toEqual([])
  })

  it('ends in an image without shell and package manager, in which nothing is run as root', () => {
    expect(values(final, 'FROM')).toEqual([expect.stringMatching(/^gcr\.io\/distroless\/nodejs24-.*:nonroot$/u)])
    expect(values(final, 'RUN')).toEqual([])
    expect(values(final, 'USER')).toEqual(['65532:65532'])
  })

  it('copies only what is there and what .dockerignore lets through', () => {
    const [everything, ...exceptions] = text('.dockerignore')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
    expect(everything).toBe('*')
    const allowed = exceptions.map((line) => line.replace(/^!/u, ''))
    const copied = values(instructions, 'COPY')
      .filter((value) => !value.includes('--from='))
      .flatMap((value) => value.split(' ').slice(0, -1))
    expect([...new Set(copied)].toSorted()).toEqual(allowed.toSorted())
    expect(copied.filter((file) => !existsSync(path.join(root, file)))).toEqual([])
  })

  it('takes from the build what the build makes', () => {
    const taken = values(final, 'COPY')
      .filter((value) => value.includes('--from=build'))
      .map((value) => value.split(' ').at(-2))
    expect(taken).toEqual(['/build/bin', '/state'])
    expect(values(build, 'WORKDIR')).toEqual(['/build'])
    expect(values(build, 'RUN').join('\n')).toMatch(/npm ci[^]*npm run prepare[^]*\/state/u)
    const { bin } = JSON.parse(text('package.json')) as { bin: { mintkeeper: string } }
    expect(exec(values(final, 'ENTRYPOINT')[0])).toEqual(['/nodejs/bin/node', `/app/${bin.mintkeeper}`])
  })

  it('has a command and a health check that the command line knows', async () => {
    const binary = exec(values(final, 'ENTRYPOINT')[0])
    const command = exec(values(final, 'CMD')[0])
    const check = exec(values(final, 'HEALTHCHECK')[0])
    expect(command).toEqual(['serve', '-c', '/etc/mintkeeper/mintkeeper.yaml'])
    expect(check.slice(0, binary.length)).toEqual(binary)
    for (const args of [command, check.slice(binary.length)]) {
      expect(await cli([...args, '--help'])).toMatchObject({ exitCode: 0, err: '' })
    }
    expect(values(final, 'EXPOSE')).toEqual(['4455 4456 9000'])
  })
})
