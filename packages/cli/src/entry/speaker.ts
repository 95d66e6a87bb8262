import { run } from '../command.ts'

await run('speaker')
