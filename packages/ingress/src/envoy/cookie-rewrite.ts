/**
 * CookieRewrites → the Lua that applies them to each Set-Cookie header of an answer. Attributes that are rewritten
 * go to the end; everything else of the cookie stays as the backend wrote it.
 */
import type { CookieRewrite } from '../dag/filters.ts'

export function cookieRewriteScript(rewrites: readonly CookieRewrite[]): string {
  const rules = rewrites.map((rewrite) => `  [${quote(rewrite.name)}] = ${ruleOf(rewrite)},\n`)
  return `local rules = {\n${rules.join('')}}\n${script}`
}

/** Of each attribute, in lower case, what stands for it: `""` for nothing at all. */
function ruleOf({ path, domain, secure, sameSite }: CookieRewrite): string {
  const attributes = [
    ...(path === undefined ? [] : [`path = ${quote(`Path=${path}`)}`]),
    ...(domain === undefined ? [] : [`domain = ${quote(`Domain=${domain}`)}`]),
    ...(secure === undefined ? [] : [`secure = ${quote(secure ? 'Secure' : '')}`]),
    ...(sameSite === undefined ? [] : [`samesite = ${quote(`SameSite=${sameSite}`)}`]),
  ]
  return `{${attributes.join(', ')}}`
}

/** Any text as a Lua string: what is not plain goes by its bytes. */
function quote(text: string): string {
  const bytes = [...new TextEncoder().encode(text)]
  const plain = (byte: number): boolean => /[A-Za-z0-9 _./=-]/.test(String.fromCharCode(byte)) && byte < 128
  const written = bytes.map((byte) =>
    plain(byte) ? String.fromCharCode(byte) : `\\${String(byte).padStart(3, '0')}`,
  )
  return `"${written.join('')}"`
}

const script = `local order = {"path", "domain", "secure", "samesite"}

local function trim(text)
  return string.match(text, "^%s*(.-)%s*$")
end

local function rewrite(cookie)
  local name = string.match(cookie, "^([^=;]*)=")
  local rule = name and rules[trim(name)]
  if rule == nil then return cookie end
  local parts = {}
  for part in string.gmatch(cookie, "[^;]+") do
    local attribute = string.lower(trim(string.match(part, "^[^=]*")))
    if #parts == 0 or rule[attribute] == nil then parts[#parts + 1] = trim(part) end
  end
  for _, attribute in ipairs(order) do
    local value = rule[attribute]
    if value ~= nil and value ~= "" then parts[#parts + 1] = value end
  end
  return table.concat(parts, "; ")
end

function envoy_on_response(handle)
  local headers = handle:headers()
  local count = headers:getNumValues("set-cookie")
  if count == 0 then return end
  local cookies = {}
  for index = 0, count - 1 do cookies[#cookies + 1] = rewrite(headers:getAtIndex("set-cookie", index)) end
  headers:remove("set-cookie")
  for _, cookie in ipairs(cookies) do headers:add("set-cookie", cookie) end
end
`
