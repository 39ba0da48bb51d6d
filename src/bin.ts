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
  void import('./cli/main.ts').then(({ main }) => main())
}
