import { expect, test } from 'vitest'
import { findImage, imageMap } from './image-map.ts'
import { imageKeys, parseImageReference } from './image-reference.ts'

test.each([
  ['nginx', { repository: 'nginx', registry: undefined, tag: undefined, digest: undefined }],
  [
    'docker.io/library/nginx:1.27',
    { repository: 'nginx', registry: 'docker.io', tag: '1.27', digest: undefined },
  ],
  [
    'localhost:5000/a/b',
    { repository: 'a/b', registry: 'localhost:5000', tag: undefined, digest: undefined },
  ],
  [
    'landfall/speaker:0.1.0',
    { repository: 'landfall/speaker', registry: undefined, tag: '0.1.0', digest: undefined },
  ],
  ['ghcr.io/x/y:v1@sha256:ab', { repository: 'x/y', registry: 'ghcr.io', tag: 'v1', digest: 'sha256:ab' }],
])('%s', (text, wanted) => {
  expect(parseImageReference(text)).toEqual(wanted)
})

test('the most exact key comes first', () => {
  expect(imageKeys('ghcr.io/x/y:v1')).toEqual(['ghcr.io/x/y:v1', 'x/y:v1', 'ghcr.io/x/y', 'x/y'])
  expect(imageKeys('pause')).toEqual(['pause'])
})

const sources = {
  repoRoot: '/r',
  bundles: '/b',
  parts: { envoy: '/e', node: '/n', metallbSpeaker: '/m', contour: '/c' },
}

test('registry and tag do not matter unless an entry names them', () => {
  const special = { entrypoint: ['special'], files: [] }
  const map = imageMap(sources, { 'traefik/whoami:v2': special })
  expect(findImage(map, 'docker.io/traefik/whoami:v1.10')?.entrypoint).toEqual(['/whoami'])
  expect(findImage(map, 'traefik/whoami:v2')).toBe(special)
  expect(findImage(map, 'quay.io/someone/whoami')).toBeUndefined()
})

test('each program of ours has its own entrypoint, and contour its names on the path', () => {
  const map = imageMap(sources)
  const entry = (name: string) => findImage(map, `registry.example/landfall/${name}:0.1.0`)
  expect(['controller', 'speaker', 'contour'].map((name) => entry(name)?.entrypoint)).toEqual([
    ['/controller'],
    ['/speaker'],
    ['/usr/local/bin/contour'],
  ])
  expect(entry('contour')?.files.map((file) => file.path)).toContain('/bin/contour')
})
