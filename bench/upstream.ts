/** The upstream where nginx is not installed: a process of its own, `node bench/upstream.ts <port>`. */
import { createServer } from 'node:http'
import { body, sessionJson } from './answers.ts'

const megabyte = Buffer.alloc(1024 * 1024, 'x')

createServer((request, response) => {
  const url = request.url ?? '/'
  const answer = url.endsWith('/echo')
    ? JSON.stringify({ authorization: request.headers.authorization ?? '' })
    : url.endsWith('/download')
      ? megabyte
      : url === '/sessions/whoami'
        ? sessionJson('000')
        : body
  request.resume().on('end', () => {
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(answer) })
    response.end(answer)
  })
}).listen(Number(process.argv[2]), '127.0.0.1')
