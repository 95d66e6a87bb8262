import { describe, expect, it } from 'vitest'
import { createLogger, describeError, Health, Metrics, metricsRoutes, serveHttp } from './index.ts'

describe('logger', () => {
  it('writes one JSON object a line with sorted keys and the caller', () => {
    const lines: string[] = []
    const logger = createLogger({ write: (line) => lines.push(line) }).child({ peer: '10.0.0.1:179' })
    logger.info('sessionUp', { localASN: 65000 }, 'BGP session established')
    const line = JSON.parse(lines[0] ?? '')
    expect(Object.keys(line)).toEqual(['caller', 'event', 'level', 'localASN', 'msg', 'peer', 'ts'])
    expect(line).toMatchObject({ event: 'sessionUp', level: 'info', localASN: 65000 })
    expect(line.caller).toMatch(/^telemetry\/src\/telemetry\.test\.ts:\d+$/)
    expect(line.ts).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  })

  it('writes text when asked to, with quotes around all that is not plain', () => {
    const lines: string[] = []
    const logger = createLogger({ format: 'text', write: (line) => lines.push(line) })
    logger.info('serving', { port: 8001, on: '', of: [1] }, 'it "serves"')
    expect(lines[0]).toMatch(/^caller=telemetry\/src\/telemetry\.test\.ts:\d+ event=serving level=info /)
    expect(lines[0]).toMatch(/ msg="it \\"serves\\"" of="\[1\]" on="" port=8001 ts=\S+\n$/)
  })

  it('keeps to its level', () => {
    const lines: string[] = []
    const logger = createLogger({ level: 'warn', write: (line) => lines.push(line) })
    logger.info('quiet')
    logger.error('loud', { error: new Error('outer', { cause: new Error('inner') }) })
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ event: 'loud', error: 'outer: inner' }])
  })

  it('names an error that has only a code', () => {
    expect(describeError(Object.assign(new Error(''), { code: 'ECONNREFUSED' }))).toBe('ECONNREFUSED')
  })
})

describe('http', () => {
  it('serves metrics and health', async () => {
    const health = new Health()
    health.setReady('synced', false, 'waiting for Services')
    const metrics = new Metrics('1.2.3')
    const server = await serveHttp({
      address: '',
      port: 0,
      routes: { ...metricsRoutes(metrics), ...health.routes() },
    })
    const get = (path: string, method = 'GET') => fetch(`http://127.0.0.1:${server.port}${path}`, { method })
    expect(await (await get('/metrics')).text()).toContain('landfall_build_info{version="1.2.3"} 1')
    expect((await get('/healthz')).status).toBe(200)
    const unready = await get('/readyz')
    expect([unready.status, await unready.text()]).toEqual([503, 'synced: waiting for Services\n'])
    health.setReady('synced', true)
    expect((await get('/readyz')).status).toBe(200)
    expect((await get('/else')).status).toBe(404)
    expect((await get('/readyz', 'POST')).status).toBe(405)
    await server.close()
  })

  it('answers both families, and HEAD, refused methods and failing routes as HTTP says', async () => {
    const routes = {
      '/ok': () => ({ status: 200, body: 'fine' }),
      '/bad': () => {
        throw new Error('no')
      },
    }
    const server = await serveHttp({ address: '::', port: 0, routes })
    const ask = (host: string, path: string, method = 'GET') =>
      fetch(`http://${host}:${server.port}${path}`, { method })
    expect(await (await ask('127.0.0.1', '/ok')).text()).toBe('fine')
    const head = await ask('[::1]', '/ok', 'HEAD')
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '4', ''])
    expect((await ask('127.0.0.1', '/ok', 'DELETE')).headers.get('allow')).toBe('GET, HEAD')
    expect((await ask('127.0.0.1', '/bad')).status).toBe(500)
    expect((await ask('127.0.0.1', '/toString')).status).toBe(404)
    await expect(serveHttp({ address: '127.0.0.1', port: server.port, routes })).rejects.toThrow('EADDRINUSE')
    await server.close()
  })
})
