/** For tests of behaviour: servers that Envoy asks by gRPC, which answer as they are told and keep what they were asked. */
import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf'
import {
  CheckRequestSchema,
  CheckResponseSchema,
} from '@envoyproxy/envoy-types/envoy/service/auth/v3/external_auth'
import {
  RateLimitRequestSchema,
  RateLimitResponseSchema,
} from '@envoyproxy/envoy-types/envoy/service/ratelimit/v3/rls'
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js'

type Pair = { readonly cert: string; readonly key: string }

type Told<Out extends DescMessage> = MessageInitShape<Out> | undefined

/** One method; undefined as an answer: it never comes. */
export class GrpcServer<In extends DescMessage, Out extends DescMessage> {
  seen: MessageShape<In>[] = []
  port = 0
  answer: (request: MessageShape<In>) => Told<Out> | Promise<Told<Out>>
  readonly #server = new Server()

  constructor(path: string, schemas: readonly [In, Out], answer: GrpcServer<In, Out>['answer']) {
    const [input, output] = schemas
    this.answer = answer
    const definition = {
      path,
      requestStream: false,
      responseStream: false,
      requestSerialize: (buffer: Buffer) => buffer,
      requestDeserialize: (buffer: Buffer) => buffer,
      responseSerialize: (buffer: Buffer) => buffer,
      responseDeserialize: (buffer: Buffer) => buffer,
    }
    const method = async (
      call: ServerUnaryCall<Buffer, Buffer>,
      done: sendUnaryData<Buffer>,
    ): Promise<void> => {
      const request = fromBinary(input, call.request)
      this.seen.push(request)
      const told = await this.answer(request)
      if (told !== undefined) done(null, Buffer.from(toBinary(output, create(output, told))))
    }
    this.#server.addService({ method: definition }, { method })
  }

  /** @param pair speaks TLS with this certificate */
  async open(pair?: Pair): Promise<this> {
    const security =
      pair === undefined
        ? ServerCredentials.createInsecure()
        : ServerCredentials.createSsl(null, [
            { cert_chain: Buffer.from(pair.cert), private_key: Buffer.from(pair.key) },
          ])
    this.port = await new Promise((resolve, reject) => {
      this.#server.bindAsync('127.0.0.1:0', security, (error, port) =>
        error === null ? resolve(port) : reject(error),
      )
    })
    return this
  }

  close(): void {
    this.#server.forceShutdown()
  }
}

export type Checks = GrpcServer<typeof CheckRequestSchema, typeof CheckResponseSchema>
export type Limits = GrpcServer<typeof RateLimitRequestSchema, typeof RateLimitResponseSchema>

export function authorizationServer(answer: Checks['answer']): Checks {
  const path = '/envoy.service.auth.v3.Authorization/Check'
  return new GrpcServer(path, [CheckRequestSchema, CheckResponseSchema], answer)
}

export function rateLimitServer(answer: Limits['answer']): Limits {
  const path = '/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit'
  return new GrpcServer(path, [RateLimitRequestSchema, RateLimitResponseSchema], answer)
}
