// Node, Deno, Bun and Workers alike. `body` is the text as it came, `headers` with names in small letters.
export async function verified(secret, headers, body) {
  const id = headers["webhook-id"];
  const sent = headers["webhook-timestamp"];
  if (!(Math.abs(Date.now() / 1000 - Number(sent)) <= 300)) {
    throw new Error("Sent too long ago: somebody may have recorded it.");
  }
  const bytes = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const hmac = { name: "HMAC", hash: "SHA-256" };
  const raw = bytes(secret.replace("whsec_", ""));
  const key = await crypto.subtle.importKey("raw", raw, hmac, false, ["verify"]);
  const signed = new TextEncoder().encode(`${id}.${sent}.${body}`);
  for (const each of headers["webhook-signature"].split(" ")) {
    const [version, signature] = each.split(",");
    if (version === "v1" && (await crypto.subtle.verify("HMAC", key, bytes(signature), signed))) {
      return JSON.parse(body);
    }
  }
  throw new Error("Not signed with our secret.");
}
