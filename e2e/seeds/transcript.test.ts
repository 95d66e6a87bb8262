import { expect, test } from 'vitest'
import { isPrinted, readTranscript } from './transcript.ts'

const [get, curl, label] = readTranscript(`# A remark.
$ kubectl get svc
NAME    EXTERNAL-IP    PORT(S)    AGE
nginx   192.168.2.10   80:…/TCP   …

$ curl http://192.168.2.10
...
<title>Welcome</title>
...
$ kubectl label node n1 a=b
`)

test('a command has the lines below it', () => {
  expect(get?.line).toBe('kubectl get svc')
  expect(get?.prints).toHaveLength(2)
  expect(label).toEqual({ line: 'kubectl label node n1 a=b', prints: [] })
})

test.each([
  ['NAME  EXTERNAL-IP  PORT(S)  AGE\nnginx  192.168.2.10  80:30154/TCP  3m4s\n', true],
  ['NAME  EXTERNAL-IP  PORT(S)  AGE\nnginx  192.168.2.11  80:30154/TCP  3m4s\n', false],
  ['NAME  EXTERNAL-IP  PORT(S)  AGE\nnginx  192.168.2.10  80:30154/TCP  3m4s\nmore  x  y  z\n', false],
  ['NAME  EXTERNAL-IP  PORT(S)  AGE\nnginx  192.168.2.10  80:/TCP  3m4s\n', false],
  ['NAME  EXTERNAL-IP  PORT(S)  AGE\nnginx  192.168.2.10  80:30154/TCP  3m4s  more\n', false],
  ['NAME  EXTERNAL-IP  PORT(S)\nnginx  192.168.2.10  80:30154/TCP\n', false],
])('a table: %j', (printed, fits) => {
  expect(get && isPrinted(get, printed)).toBe(fits)
})

test('any lines', () => {
  expect(curl && isPrinted(curl, '<title>Welcome</title>')).toBe(true)
  expect(curl && isPrinted(curl, '<html>\n<title>Welcome</title>\n</html>\n')).toBe(true)
  expect(curl && isPrinted(curl, '<html>\n</html>\n')).toBe(false)
})
