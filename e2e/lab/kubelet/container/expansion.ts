// $(NAME) in command, args and env values: a known name is replaced, an unknown one stays as written,
// `$$` is a dollar (so `$$(NAME)` is the text `$(NAME)`). Kubernetes' third_party/forked/golang/expansion.

export function expand(text: string, values: ReadonlyMap<string, string>): string {
  return text.replace(/\$(?:\$|\(([^)]*)\))/g, (whole: string, name: string | undefined) =>
    name === undefined ? '$' : (values.get(name) ?? whole),
  )
}
