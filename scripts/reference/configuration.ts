import { configJsonSchema } from '../generate-schema.ts'
import { table } from './markdown.ts'

interface Node {
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly default?: unknown
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly properties?: Readonly<Record<string, Node>>
  readonly items?: Node
  readonly additionalProperties?: Node | boolean
  readonly anyOf?: readonly Node[]
  readonly oneOf?: readonly Node[]
}

interface Row {
  readonly key: string
  readonly type: string
  readonly value: string
  readonly description: string
}

/** Every key of the config, section by section, as the schema has it. */
export function configurationReference(): string {
  const schema = JSON.parse(configJsonSchema()) as Node
  const sections = Object.entries(schema.properties ?? {}).filter(([name]) => name !== '$schema')
  const body = sections.map(([name, node]) => {
    const rows = rowsOf(name, node).map(({ key, type, value, description }) => [`\`${key}\``, type, value, description])
    return `## ${name}\n\n${node.description ?? ''}\n\n${table(['key', 'type', 'default', 'meaning'], rows)}`
  })
  return `# Configuration

Oathkeeper's keys, and Mintkeeper's own: \`profile\`, \`upstream\`, \`safeguards\`, \`kratos\`, \`serve.api.allowed_hosts\`. Files are YAML or JSON; several
(\`-c a.yaml -c b.yaml\`) are merged, later ones over earlier ones: maps key by key, everything else as a whole. Each key can also be an
environment variable: \`serve.proxy.port\` is \`SERVE_PROXY_PORT\`; lists are comma-separated or JSON, maps are JSON. In files,
\`\${NAME}\` and \`\${NAME:-default}\` are replaced from the environment, in rule files, too.

A handler's \`config\` is the ground over which a rule's own \`config\` for it is laid.

${body.join('\n\n')}
`
}

function rowsOf(key: string, node: Node): Row[] {
  const object = objectOf(node)
  const entry = node.additionalProperties
  if (typeof entry === 'object' && entry.properties !== undefined) {
    return [rowOf(key, node), ...rowsOf(`${key}.NAME`, entry)]
  }
  if (object === undefined) return [rowOf(key, node)]
  return Object.entries(object).flatMap(([name, child]) => rowsOf(`${key}.${name}`, child))
}

/** The properties of a map; of alternatives, those of all of them: the first that says more than the others wins. */
function objectOf(node: Node): Readonly<Record<string, Node>> | undefined {
  const alternatives = (node.oneOf ?? node.anyOf ?? []).filter((each) => each.properties !== undefined)
  if (alternatives.length === 0) return node.properties
  if (alternatives.length > 1 && alternatives.every(({ properties }) => Object.keys(properties ?? {}).length < 2))
    return undefined
  const merged: Record<string, Node> = {}
  for (const { properties } of alternatives) {
    for (const [name, child] of Object.entries(properties ?? {})) {
      if (merged[name] === undefined || (merged[name].properties === undefined && child.properties !== undefined))
        merged[name] = child
    }
  }
  return merged
}

function rowOf(key: string, node: Node): Row {
  const value =
    node.default === undefined || JSON.stringify(node.default) === '{}' ? '' : `\`${JSON.stringify(node.default)}\``
  return { key, type: typeOf(node), value, description: node.description ?? '' }
}

function typeOf(node: Node): string {
  if (node.enum !== undefined) return node.enum.map((each) => `\`${JSON.stringify(each)}\``).join(', ')
  if (node.const !== undefined) return typeof node.const === 'boolean' ? 'boolean' : `\`${JSON.stringify(node.const)}\``
  const alternatives = node.oneOf ?? node.anyOf
  if (alternatives !== undefined) return [...new Set(alternatives.map((each) => typeOf(each)))].join(' or ')
  const type = Array.isArray(node.type) ? node.type[0] : (node.type as string | undefined)
  if (type === 'array') return `list of ${node.items === undefined ? 'values' : typeOf(node.items)}`
  if (type === 'object') return 'map'
  return type ?? 'any'
}
