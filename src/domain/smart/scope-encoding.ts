// Percent-decoding inside one scope token. It happens after the scope string was split on spaces and after the token was cut
// at `?`, `&` and `=`, so an encoded separator can never make a second scope or a second filter (spec §1.2).

/** Decodes once; undefined when the encoding is broken or not UTF-8, or hides a control character. `+` stays a plus sign. */
export function decodeScopeText(text: string): string | undefined {
  if (!text.includes('%')) return text
  try {
    const decoded = decodeURIComponent(text)
    return /[\u0000-\u001f\u007f]/.test(decoded) ? undefined : decoded
  } catch {
    return undefined
  }
}
