/** The program `controller` of the image of that name: assigns addresses. */
import './small-memory.ts'
import { run } from '../command.ts'

await run('controller')
