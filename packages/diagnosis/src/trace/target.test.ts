import { expect, test } from 'vitest'
import { readTarget } from './target.ts'

function read(url: string, headers: readonly (readonly [string, string])[] = []) {
  return readTarget(url, { method: 'GET', headers })
}

test('a URL says scheme, name, port and path', () => {
  expect(read('https://Shop.Test/cart/../tea?a=b')).toMatchObject({
    scheme: 'https',
    host: 'shop.test',
    port: '',
    toPort: 443,
    path: '/tea',
    query: 'a=b',
    authority: 'shop.test',
    isAddress: false,
  })
  expect(read('shop.test:8080')).toMatchObject({ scheme: 'http', port: '8080', toPort: 8080, path: '/' })
})

test('a header Host goes before the name, and the connection where the URL says', () => {
  expect(read('http://192.0.2.1/', [['host', 'shop.test:81']])).toMatchObject({
    host: 'shop.test',
    port: '81',
    toPort: 80,
    authority: '192.0.2.1',
    authorityIsAddress: true,
    isAddress: false,
  })
  expect(read('https://[2001:db8::1]/', [['Host', 'shop.test']])).toMatchObject({
    authority: '2001:db8::1',
    isAddress: true,
  })
})

test.each(['ftp://shop.test/', 'http://', 'http://a b/'])('%s is refused', (url) => {
  expect(read(url)).toEqual(expect.any(String))
})
