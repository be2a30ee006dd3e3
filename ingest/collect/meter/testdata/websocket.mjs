// Makes the captures xmpp-deflate-*.pcap and msn-deflate.pcap: what the WebSocket
// client and server of the package ws (8.23) say to each other on a loopback, a
// sign-on a second each, then a minute each, as packets between 10.0.0.5 and 10.0.0.9.
//
//   npm install ws@8.23.0 && node websocket.mjs
import { createConnection, createServer } from 'node:net'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import WebSocket, { WebSocketServer } from 'ws'

const ethernet = Buffer.from([2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0])
const begin = Date.UTC(2002, 9, 3, 10, 13, 0)

// Capture writes the bytes of one TCP connection.
class Capture {
  packets = []
  seq = [1000, 2000]
  second = 0
  packet(side, flags, data = Buffer.alloc(0)) {
    const tcp = Buffer.alloc(20)
    tcp.writeUInt16BE(side ? 5280 : 40000, 0)
    tcp.writeUInt16BE(side ? 40000 : 5280, 2)
    tcp.writeUInt32BE(this.seq[side], 4)
    tcp.writeUInt32BE(flags & 16 ? this.seq[1 - side] : 0, 8)
    tcp[12] = 0x50
    tcp[13] = flags
    tcp.writeUInt16BE(65535, 14)
    const ip = Buffer.from([0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, side ? 9 : 5, 10, 0, 0, side ? 5 : 9])
    ip.writeUInt16BE(40 + data.length, 2)
    const at = Buffer.alloc(16)
    at.writeUInt32LE(begin / 1000 + this.second, 0)
    at.writeUInt32LE(this.packets.length, 4)
    at.writeUInt32LE(54 + data.length, 8)
    at.writeUInt32LE(54 + data.length, 12)
    this.packets.push(Buffer.concat([at, ethernet, ip, tcp, data]))
    this.seq[side] += data.length + (flags & 3 ? 1 : 0)
  }
  said(side, data) {
    for (let i = 0; i < data.length; i += 1400) this.packet(side, 0x18, data.subarray(i, i + 1400))
  }
  file() {
    const head = Buffer.alloc(24)
    head.writeUInt32LE(0xa1b2c3d4, 0)
    head.writeUInt16LE(2, 4)
    head.writeUInt16LE(4, 6)
    head.writeUInt32LE(65535, 16)
    head.writeUInt32LE(1, 20)
    return Buffer.concat([head, ...this.packets])
  }
}

const xmpp = 'urn:ietf:params:xml:ns:xmpp-framing'
const signOn = [
  ['C', `<open xmlns='${xmpp}' to='jab.example' version='1.0'/>`],
  ['S', `<open xmlns='${xmpp}' from='jab.example' id='1' version='1.0'/>`],
  ['S', "<stream:features xmlns:stream='http://etherx.jabber.org/streams'><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms></stream:features>"],
  ['C', `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${Buffer.from('\0ann\0secret').toString('base64')}</auth>`],
  ['S', "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"], // 5
  ['C', `<open xmlns='${xmpp}' to='jab.example' version='1.0'/>`],
  ['S', `<open xmlns='${xmpp}' from='jab.example' id='2' version='1.0'/>`],
  ['C', "<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>"],
  ['S', "<iq xmlns='jabber:client' type='result' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>ann@jab.example/1</jid></bind></iq>"],
  ['C', "<presence xmlns='jabber:client'/>"], // 10
]
const hello = "<message xmlns='jabber:client' to='bob@jab.example' type='chat'><body>hello</body></message>"
const close = ['C', `<close xmlns='${xmpp}'/>`]
const roster = (n) => Array.from({ length: n }, (_, i) => `<item jid='person${i * 7919}@jab.example'/>`).join('')

// make runs a talk: whose message it is, its parts, and whether it is not packed.
async function make(name, options, protocol, talk) {
  const capture = new Capture()
  const server = new WebSocketServer({ port: 0, perMessageDeflate: options.server, maxPayload: 1 << 30, handleProtocols: () => protocol })
  await once(server, 'listening')
  const tap = createServer((near) => {
    const far = createConnection(server.address().port)
    near.on('data', (b) => (capture.said(0, b), far.write(b)))
    far.on('data', (b) => (capture.said(1, b), near.write(b)))
    near.on('end', () => far.end())
    far.on('end', () => near.end())
  }).listen(0)
  await once(tap, 'listening')
  capture.packet(0, 2)
  capture.packet(1, 0x12)
  capture.packet(0, 0x10)
  const accepted = once(server, 'connection')
  const client = new WebSocket(`ws://127.0.0.1:${tap.address().port}/xmpp-websocket`, protocol, { perMessageDeflate: options.client, generateMask: (m) => m.set([1, 2, 3, 4]), maxPayload: 1 << 30 })
  await once(client, 'open')
  const [peer] = await accepted
  for (const [n, [who, text, how]] of talk.entries()) {
    capture.second += n < 10 ? 1 : 60
    const [from, to] = who === 'C' ? [client, peer] : [peer, client]
    const got = once(to, 'message')
    const parts = Array.isArray(text) ? text : [text]
    parts.forEach((part, i) => {
      if (i > 0) from.ping('still there?')
      from.send(part, { fin: i === parts.length - 1, compress: how !== 'clear', binary: how === 'binary' })
    })
    const [data] = await got
    if (data.toString() !== parts.join('')) throw new Error(`${name}: ${text} arrived as ${data}`)
    await new Promise((done) => setTimeout(done, 20))
  }
  capture.second++
  client.close()
  await once(client, 'close')
  capture.packet(0, 0x11)
  capture.packet(1, 0x11)
  writeFileSync(new URL(`${name}.pcap`, import.meta.url), capture.file())
  tap.close()
  server.close()
}

const packs = { threshold: 0 }
const parted = ["<message xmlns='jabber:client' to='bob@ja", "b.example' type='chat'><bo", 'dy>hello again</body></message>']
await make('xmpp-deflate-takeover', { server: packs, client: packs }, 'xmpp', [
  ...signOn,
  ['C', hello],
  ['S', hello, 'clear'],
  ['C', parted],
  ['S', ["<iq xmlns='jabber:client' type='result' id='r'><query xmlns='jabber:iq:roster'>", roster(3000), '</query></iq>']],
  ['C', hello, 'clear'],
  close,
])
const small = { ...packs, serverNoContextTakeover: true, clientNoContextTakeover: true, serverMaxWindowBits: 9, clientMaxWindowBits: 10 }
await make('xmpp-deflate-alone', { server: small, client: { ...packs, clientMaxWindowBits: 10 } }, 'xmpp', [
  ...signOn,
  ['C', hello],
  ['C', parted],
  ['S', ["<iq xmlns='jabber:client' type='result' id='r'><query xmlns='jabber:iq:roster'>", roster(300), '</query></iq>']],
  ['C', hello],
  close,
])
await make('xmpp-deflate-refused', { server: false, client: packs }, 'xmpp', [...signOn, ['C', parted], close])
const bomb = `<message xmlns='jabber:client'><x>${' '.repeat(2 << 20)}</x></message>`
await make('xmpp-deflate-bomb', { server: packs, client: packs }, 'xmpp', [...signOn, ['S', bomb], ['C', bomb], ['C', hello], close])
await make('msn-deflate', { server: packs, client: packs }, 'binary', [
  ['C', 'VER 1 MSNP8 CVR0\r\n', 'binary'],
  ['S', 'VER 1 MSNP8\r\n', 'binary'],
  ['C', 'USR 3 TWN I ann@mail.example\r\n', 'binary'],
  ['S', 'USR 3 TWN S ct=1\r\n', 'binary'],
  ['C', 'USR 4 TWN S t=x\r\n', 'binary'],
  ['S', 'USR 4 OK ann@mail.example Ann 1 0\r\n', 'binary'],
  ['C', ['CHG 6 ', 'NLN 0\r\n'], 'binary'],
  ['S', 'CHG 6 NLN 0\r\n', 'binary'],
])
