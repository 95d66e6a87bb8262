import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    isolate: false,
    reporters: ['default', './scripts/closing-line-reporter.ts'],
    include: ['packages/*/src/**/*.test.ts', 'scripts/**/*.test.ts'],
  },
})
