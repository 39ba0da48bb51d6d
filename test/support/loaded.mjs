// Given to `node --import`: names on stderr, when the process ends, every module that it has loaded from a file, and
// whether node has loaded its own fetch.
import { registerHooks } from 'node:module'

const urls = []
registerHooks({
  load(url, context, next) {
    urls.push(url)
    return next(url, context)
  },
})
process.on('exit', () => {
  const withFetch = process.moduleLoadList.some((name) => name.includes('deps/undici'))
  process.stderr.write(`\nloaded ${JSON.stringify({ urls, withFetch })}\n`)
})
