// Pictures that a run left: known by their first bytes, never by their name, and small enough to be drawn.

// A picture of few bytes can have so many pixels that drawing it takes all memory.
const MOST_PIXELS = 40_000_000;

function bytes(base64: string, length: number): Uint8Array {
  try {
    // Whole groups of four characters are three bytes each.
    return Uint8Array.from(atob(base64.slice(0, Math.ceil(length / 3) * 4)), (one) => one.charCodeAt(0));
  } catch {
    return new Uint8Array();
  }
}

function png(data: Uint8Array): number {
  const view = new DataView(data.buffer);
  return data.length < 24 ? Infinity : view.getUint32(16) * view.getUint32(20);
}

function gif(data: Uint8Array): number {
  const view = new DataView(data.buffer);
  return data.length < 10 ? Infinity : view.getUint16(6, true) * view.getUint16(8, true);
}

// Goes from segment to segment to the one with the size.
function jpeg(data: Uint8Array): number {
  const view = new DataView(data.buffer);
  for (let at = 2; at + 9 < data.length; ) {
    const marker = data[at + 1];
    if (data[at] !== 0xff) {
      break;
    }
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      return view.getUint16(at + 5) * view.getUint16(at + 7);
    }
    at += 2 + view.getUint16(at + 2);
  }
  return Infinity;
}

// As a data URL, which loads nothing; nothing if it is no picture that can be shown.
export function picture(base64: string): string | undefined {
  const kinds: Array<[string, string, () => number]> = [
    ['iVBORw0KGgo', 'png', () => png(bytes(base64, 24))],
    ['/9j/', 'jpeg', () => jpeg(bytes(base64, 65_536))],
    ['R0lGOD', 'gif', () => gif(bytes(base64, 12))],
  ];
  const kind = kinds.find(([start]) => base64.startsWith(start));
  return kind && kind[2]() <= MOST_PIXELS ? `data:image/${kind[1]};base64,${base64}` : undefined;
}
