/** The program `speaker` of the image of that name: announces addresses. */
import { run } from '../command.ts'

await run('speaker')
