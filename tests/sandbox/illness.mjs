// What ails the server: some of its answers fail, whoever asks. Every Nth of a kind, so that a run can be repeated.

const PROSE = 'upstream connect error or disconnect/reset before headers. reset reason: overflow\n';
const HTML = 'text/html; charset=UTF-8';

/** Flags as given: `ill` and `illPages` are STATUS:N, `late` is N:SECONDS, the others are N. */
export class Illness {
  constructor({ ill, illPages, late, prose, cut, shapeless }) {
    Object.assign(this, { ill, illPages, late, prose, cut, shapeless });
    this.calls = this.pages = 0;
  }

  /** An answer in place of the real one, which then has no effect; null mostly. */
  instead(isPage) {
    if (isPage) {
      this.pages += 1;
      return this.due(this.illPages?.every, this.pages) ? broken(this.illPages.status) : null;
    }
    this.calls += 1;
    if (this.due(this.ill?.every, this.calls)) return broken(this.ill.status);
    return this.due(this.prose, this.calls)
      ? { status: 200, headers: { 'Content-Type': 'text/plain' }, body: PROSE }
      : null;
  }

  /** Seconds that the answer to this call stays away. */
  delay(isPage) {
    return !isPage && this.due(this.late?.every, this.calls) ? this.late.seconds : 0;
  }

  /** The answer is broken off in its middle. */
  isCut(isPage) {
    return !isPage && this.due(this.cut, this.calls);
  }

  /** The answer's data is gone, its status and form are not. */
  isShapeless(isPage) {
    return !isPage && this.due(this.shapeless, this.calls);
  }

  due(every, count) {
    return Boolean(every) && count % every === 0;
  }
}

const broken = (status) => ({
  status,
  headers: { 'Content-Type': HTML },
  body: `<html><head><title>${status}</title></head><body><center><h1>${status} Backend ailing</h1></center></body></html>`,
});
