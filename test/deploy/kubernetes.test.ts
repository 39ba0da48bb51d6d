import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { parseDuration } from '../../src/documents/parse_duration.ts'
import { cli } from '../cli/run.ts'
import { isPinned, text, yamlDocuments } from './files.ts'

interface Resource {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string }
}

interface ConfigMap extends Resource {
  readonly data: Readonly<Record<string, string>>
}

interface Mount {
  readonly name: string
  readonly mountPath: string
  readonly subPath?: string
}

interface Port {
  readonly name: string
  readonly containerPort: number
}

interface Deployment extends Resource {
  readonly spec: {
    readonly selector: { readonly matchLabels: object }
    readonly template: {
      readonly metadata: { readonly labels: object }
      readonly spec: {
        readonly securityContext: object
        readonly terminationGracePeriodSeconds: number
        readonly containers: readonly {
          readonly image: string
          readonly args: readonly string[]
          readonly ports: readonly Port[]
          readonly readinessProbe: object
          readonly livenessProbe: object
          readonly securityContext: object
          readonly volumeMounts: readonly Mount[]
        }[]
        readonly volumes: readonly object[]
      }
    }
  }
}

interface Service extends Resource {
  readonly spec: { readonly selector: object; readonly ports: readonly { readonly targetPort: string }[] }
}

const folder = 'examples/kubernetes'
const [configMap] = yamlDocuments(`${folder}/configmap.yaml`) as [ConfigMap]
const [deployment] = yamlDocuments(`${folder}/deployment.yaml`) as [Deployment]
const services = yamlDocuments(`${folder}/service.yaml`) as Service[]
const pod = deployment.spec.template
const [container] = pod.spec.containers
const mountedAt = (name: string): string | undefined =>
  container?.volumeMounts.find((mount) => mount.name === name)?.mountPath

describe('the Kubernetes example', () => {
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'mintkeeper-kubernetes-'))
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  it('has a config and rules that are accepted, with the key that the README makes', async () => {
    const command =
      /^ *mintkeeper (?<args>credentials generate .*--out (?<file>\S+) --public-out (?<half>\S+))$/mu.exec(
        text(`${folder}/README.md`),
      )
    const { args = '', file = '', half = '' } = command?.groups ?? {}
    const made = args.replace(file, path.join(directory, file)).replace(half, path.join(directory, half))
    expect(await cli(made.split(' '))).toMatchObject({ exitCode: 0 })
    for (const [name, content] of Object.entries(configMap.data)) {
      const here = content
        .replaceAll(`file://${mountedAt('config')}/`, `file://${directory}/`)
        .replaceAll(`file://${mountedAt('key')}/`, `file://${directory}/`)
      writeFileSync(path.join(directory, name), here)
    }
    const config = path.basename(container?.args.at(-1) ?? '')
    expect(await cli(['validate', '-c', path.join(directory, config)])).toEqual({
      exitCode: 0,
      out: 'ok: 1 rule, 1 upstream, 1 signing key set, profile secure\n',
      err: '',
    })
    const asked = await cli(['explain', 'GET', 'http://api.example.com/rest/notes', '-c', path.join(directory, config)])
    expect(asked.out).toContain('refused: 401 Unauthorized')
    expect(text(`${folder}/README.md`)).toContain(`create secret generic mintkeeper-key --from-file=${file}\n`)
  })

  it('runs an image of one version as nobody, on a file system that it cannot write', () => {
    expect(isPinned(container?.image ?? '')).toBe(true)
    expect(pod.spec.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 65532 })
    expect(container?.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    })
  })

  it('is probed at the port of the API', () => {
    expect(container).toMatchObject({
      readinessProbe: { httpGet: { path: '/health/ready', port: 'api' } },
      livenessProbe: { httpGet: { path: '/health/alive', port: 'api' } },
    })
    expect(container?.ports).toContainEqual({ name: 'api', containerPort: 4456 })
  })

  it('drains, and has the time for it', () => {
    const config = parse(configMap.data['mintkeeper.yaml'] ?? '') as { serve: { shutdown: { drain: string } } }
    const drain = parseDuration(config.serve.shutdown.drain) ?? 0
    expect(drain).toBeGreaterThan(0)
    expect(pod.spec.terminationGracePeriodSeconds * 1000).toBeGreaterThanOrEqual(drain + 25_000)
  })

  it('mounts whole folders, so that changes arrive', () => {
    expect(pod.spec.volumes).toMatchObject([
      { name: 'config', configMap: { name: configMap.metadata.name } },
      { name: 'key', secret: { secretName: 'mintkeeper-key' } },
    ])
    expect(container?.volumeMounts.filter(({ subPath }) => subPath !== undefined)).toEqual([])
  })

  it('has services that lead to its pods and ports', () => {
    const ports = container?.ports.map(({ name }) => name)
    expect(deployment.spec.selector.matchLabels).toEqual(pod.metadata.labels)
    expect(services.map(({ kind, spec }) => [kind, spec.selector])).toEqual([
      ['Service', pod.metadata.labels],
      ['Service', pod.metadata.labels],
    ])
    expect(services.flatMap(({ spec }) => spec.ports.map(({ targetPort }) => targetPort)).toSorted()).toEqual(
      ports?.toSorted(),
    )
  })
})
