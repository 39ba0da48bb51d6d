/** A worker that serves nothing: it listens, and goes when it is told to; with `hangs` it does neither. */
const hangs = process.argv.includes('hangs')

process.on('message', (message: { readonly mintkeeper?: string }) => {
  if (!hangs && (message.mintkeeper === 'stop' || message.mintkeeper === 'retire')) process.disconnect()
})
// Nobody is to be left behind by a test that fails.
process.on('disconnect', () => process.exit(0))
if (!hangs) process.send?.({ mintkeeper: 'listening', banner: 'here', endsWithin: 0 })
