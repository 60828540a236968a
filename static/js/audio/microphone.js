// Opening a microphone, and what can keep a page from it.
// @ts-check

/** Why a call could not begin or go on; `code` is a key of the page's `labels.problems`. */
export class Problem extends Error {
  /** @param {string} code @param {string} [detail] in words, for the reader */
  constructor(code, detail = "") {
    super(code);
    this.code = code;
    this.detail = detail;
  }
}

/** @param {string} id a device's id, or "" for the system's default @returns {Promise<MediaStream>} */
export async function openMicrophone(id) {
  const audio = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
  return navigator.mediaDevices
    .getUserMedia({ audio: id ? { ...audio, deviceId: { exact: id } } : audio })
    .catch((error) => {
      throw new Problem(problemOf(error));
    });
}

/** @param {MediaStream | null} stream */
export function release(stream) {
  for (const track of stream?.getTracks() ?? []) {
    track.onended = null;
    track.stop();
  }
}

export function assertAble() {
  if (!window.isSecureContext || !navigator.mediaDevices) throw new Problem("insecure");
  if (!("AudioWorkletNode" in window)) throw new Problem("unsupported");
}

/** @param {DOMException} error of getUserMedia */
function problemOf(error) {
  if (error.name === "NotAllowedError" || error.name === "SecurityError") return "refused";
  if (error.name === "NotFoundError" || error.name === "OverconstrainedError") return "missing";
  return "in_use";
}
