export * from './mock-server/index.ts'
