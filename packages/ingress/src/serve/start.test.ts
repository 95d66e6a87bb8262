import { expect, test } from 'vitest'
import { requestLimits } from './start.ts'

test.each([
  [{}, undefined],
  [{ kubernetesQps: 0, kubernetesBurst: 0 }, undefined],
  [
    { kubernetesQps: 20, kubernetesBurst: 0 },
    { perSecond: 20, burst: 10 },
  ],
  [
    { kubernetesQps: 0, kubernetesBurst: 30 },
    { perSecond: 5, burst: 30 },
  ],
])('requests to the API server with %o', (settings, rate) => {
  expect(requestLimits(settings)).toEqual({ trace: false, rate })
})
