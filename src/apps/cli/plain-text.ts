/**
 * Text that came from outside (news, prompts, answers, desk and file names, remote errors) may hold control characters
 * that move the cursor, recolour or hide what a terminal shows, or reverse its reading order. They are shown as U+FFFD.
 */
const REPLACEMENT = '\ufffd';

function isUnsafe(code: number): boolean {
  return (
    code < 0x20 ||
    (code >= 0x7f && code <= 0x9f) ||
    code === 0x061c ||
    code === 0x200e ||
    code === 0x200f ||
    // line and paragraph separators, directional embeddings and overrides
    (code >= 0x2028 && code <= 0x202e) ||
    (code >= 0x2066 && code <= 0x2069)
  );
}

/** One line of plain text: line ends and tabs become spaces, whatever else is no text becomes U+FFFD. */
export function plain(text: string): string {
  let out = '';
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (!isUnsafe(code)) continue;
    out += text.slice(from, i) + (code === 0x0a || code === 0x09 || code === 0x0d ? ' ' : REPLACEMENT);
    from = i + 1;
  }
  return from === 0 ? text : out + text.slice(from);
}

/** The same for every string of a value of plain data. */
export function plainData<T>(value: T): T {
  if (typeof value === 'string') return plain(value) as T;
  if (Array.isArray(value)) return value.map(plainData) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [plain(key), plainData(one)])) as T;
}

/** Colours that this program itself writes; see `paint`. */
const OWN_COLOUR = /^\[(?:0|1|2|3[1-6]|4[23];30)m/;

/** Lines on their way to a terminal: the program's own colours and line ends pass, nothing else that steers it. */
export function withOwnColours(text: string): string {
  const lines = text.split('\n').map((line) =>
    line
      .split('\u001b')
      .map((part, i) => {
        const colour = i === 0 ? '' : (OWN_COLOUR.exec(part)?.[0] ?? null);
        if (colour === null) return REPLACEMENT + plain(part);
        return (i === 0 ? '' : `\u001b${colour}`) + plain(part.slice(colour.length));
      })
      .join(''),
  );
  return lines.join('\n');
}

/** JSON whose text steers no terminal: C1 controls and directional marks are escaped, which leaves the value as it is. */
export function safeJson(value: unknown, space?: number): string {
  const text = JSON.stringify(value, null, space);
  let out = '';
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x0a || !isUnsafe(code)) continue;
    out += `${text.slice(from, i)}\\u${code.toString(16).padStart(4, '0')}`;
    from = i + 1;
  }
  return out + text.slice(from);
}
