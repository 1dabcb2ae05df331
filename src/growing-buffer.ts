import { isUtf8 } from "node:buffer";

/** Bytes that arrive in pieces, copied together: a list of many small pieces would cost more than what they hold. */
export class GrowingBuffer {
  #bytes: Buffer = Buffer.alloc(0);
  /** Bytes in it. */
  length = 0;

  append(chunk: Buffer): void {
    const needed = this.length + chunk.length;
    if (this.length === 0) {
      // Most come in one piece, which is kept as it is; the next one copies it.
      this.#bytes = chunk;
    } else {
      if (needed > this.#bytes.length || this.length === this.#bytes.length) {
        const larger = Buffer.allocUnsafe(2 * needed);
        this.#bytes.copy(larger, 0, 0, this.length);
        this.#bytes = larger;
      }
      chunk.copy(this.#bytes, this.length);
    }
    this.length = needed;
  }

  /** What they say in UTF-8; null where they are none. */
  text(): string | null {
    const bytes = this.#bytes.subarray(0, this.length);
    return isUtf8(bytes) ? bytes.toString("utf8") : null;
  }
}
