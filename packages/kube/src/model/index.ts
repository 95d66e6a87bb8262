/** The Kubernetes objects that programs read, projected to the fields they use (pure). */
export * from './core.ts'
export * from './meta.ts'
