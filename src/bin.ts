#!/usr/bin/env node
// This file must parse, and say something useful, on any Node since 14: it imports nothing before it has looked.

const needed = [22, 19] as const
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)

if (major < needed[0] || (major === needed[0] && minor < needed[1])) {
  process.stderr.write(
    `Mintkeeper needs Node.js ${needed.join('.')} or newer; this is ${process.version} (${process.execPath}).\n` +
      'Install a newer one from https://nodejs.org/, or run Mintkeeper in its container image.\n',
  )
  process.exitCode = 2
} else {
  keepCompiled()
  void import('./cli/main.ts').then(({ main }) => main())
}

/**
 * What V8 has compiled is kept beside the user's other caches, where nobody else can put anything; a home that cannot be
 * written to just has none. NODE_COMPILE_CACHE and NODE_DISABLE_COMPILE_CACHE go before it.
 */
function keepCompiled(): void {
  const path = process.getBuiltinModule('node:path')
  const caches = process.env['XDG_CACHE_HOME'] ?? path.join(home(), '.cache')
  if (path.isAbsolute(caches))
    process.getBuiltinModule('node:module').enableCompileCache(path.join(caches, 'mintkeeper'))
}

function home(): string {
  try {
    return process.getBuiltinModule('node:os').homedir()
  } catch {
    // A user who is in no list of users has none.
    return ''
  }
}
