// One grpc.health.v1.Health/Check call, for grpc probes: over plain HTTP/2, with the two messages
// written by hand (HealthCheckRequest{service = 1}, HealthCheckResponse{status = 1}; 1 is SERVING).
import { connect, type IncomingHttpHeaders } from 'node:http2'

export function checkGrpcHealth(
  address: string,
  port: number,
  service: string,
  timeoutMs: number,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const host = address.includes(':') ? `[${address}]` : address
    const session = connect(`http://${host}:${port}`)
    const chunks: Buffer[] = []
    const end = (problem: string | undefined) => {
      clearTimeout(timer)
      session.destroy()
      resolve(problem)
    }
    const timer = setTimeout(() => end(`no answer within ${timeoutMs} ms`), timeoutMs)
    session.on('error', (error) => end(error.message))
    const call = session.request({
      ':method': 'POST',
      ':path': '/grpc.health.v1.Health/Check',
      'content-type': 'application/grpc',
      te: 'trailers',
    })
    let status = ''
    const readStatus = (headers: IncomingHttpHeaders) => {
      status = headers['grpc-status']?.toString() ?? status
    }
    call.on('response', readStatus)
    call.on('trailers', readStatus)
    call.on('data', (chunk: Buffer) => chunks.push(chunk))
    call.on('error', (error) => end(error.message))
    call.on('end', () => {
      if (status !== '0') end(`grpc-status ${status}`)
      else end(isServing(Buffer.concat(chunks)) ? undefined : 'service is not SERVING')
    })
    call.end(requestFrame(service))
  })
}

function requestFrame(service: string): Buffer {
  const name = Buffer.from(service)
  const message = name.length === 0 ? name : Buffer.concat([Buffer.from([0x0a, name.length]), name])
  const head = Buffer.alloc(5)
  head.writeUInt32BE(message.length, 1)
  return Buffer.concat([head, message])
}

function isServing(frame: Buffer): boolean {
  return frame.length === 7 && frame[5] === 0x08 && frame[6] === 1
}
