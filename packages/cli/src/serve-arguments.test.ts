import { expect, test } from 'vitest'
import { readServeArguments } from './serve-arguments.ts'

test('reads what a running serve was started with', () => {
  const args = ['--incluster=true', '--ingress-class-name=a,b', '--config-path', '/config/contour.yaml']
  expect(readServeArguments(args)).toEqual({
    settings: { incluster: true, ingressClasses: ['a', 'b'] },
    configPath: '/config/contour.yaml',
    contourConfigName: undefined,
  })
})

test('of a flag that it cannot read, nothing is taken', () => {
  expect(readServeArguments(['--envoy-service-http-port=many'])).toBeUndefined()
})
