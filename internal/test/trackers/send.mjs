// Sends one event of each account as an application that has the client built in
// does, and prints each account that the client says was taken, a line.
//
//   node send.mjs CLIENT URL KEY TRAIT ACCOUNT...
//
// With PAUSE in the environment so many milliseconds are between two accounts.
// TRAIT is put wherever a client takes something about a person.
import { Analytics } from '@segment/analytics-node'
import Rudder from '@rudderstack/rudder-sdk-node'
import { CloudEvent, HTTP } from 'cloudevents'
import { PostHog } from 'posthog-node'

const [client, url, key, trait, ...accounts] = process.argv.slice(2)
const traits = { email: `${trait}@mail.example`, name: trait }
const event = 'Message Sent'
const pause = () => new Promise((done) => setTimeout(done, Number(process.env.PAUSE ?? 0)))
const taken = (account) => console.log(account)
const failed = (account, why) => console.error(`${account}: ${why?.reason ?? why}`)

async function segment() {
  const analytics = new Analytics({ writeKey: key, host: url, flushAt: 5, flushInterval: 50 })
  const sent = []
  for (const account of accounts) {
    await pause()
    analytics.identify({ userId: account, traits })
    analytics.page({ anonymousId: `browser of ${account}`, properties: traits })
    sent.push(
      new Promise((done) =>
        analytics.track({ userId: account, event, properties: { note: trait }, context: { traits, ip: '192.0.2.10' } }, (err, ctx) => {
          const why = err ?? ctx?.failedDelivery?.()
          why ? failed(account, why) : taken(account)
          done()
        }),
      ),
    )
  }
  await Promise.all(sent)
  await analytics.closeAndFlush()
}

async function rudderstack() {
  const rudder = new Rudder(key, { dataPlaneUrl: url, flushAt: 5, flushInterval: 50, errorHandler: () => {} })
  const sent = accounts.map(
    (account) =>
      new Promise((done) => {
        rudder.identify({ userId: account, traits })
        rudder.track({ userId: account, event, properties: { note: trait }, context: { traits } }, (err) => {
          err ? failed(account, err) : taken(account)
          done()
        })
      }),
  )
  await rudder.flush()
  await Promise.all(sent)
}

async function posthog() {
  const hog = new PostHog(key, { host: url, flushAt: 5, flushInterval: 50 })
  hog.on('flush', (messages) => messages.filter((m) => m.event === event).forEach((m) => taken(m.distinct_id)))
  hog.on('error', (err) => failed('', err))
  for (const account of accounts) {
    hog.identify({ distinctId: account, properties: traits })
    hog.capture({ distinctId: account, event, properties: { note: trait, $set: traits } })
  }
  await hog.shutdown()
}

async function post(message, of) {
  const answer = await fetch(`${url}/v1/events`, {
    method: 'POST',
    headers: { ...message.headers, authorization: `Bearer ${key}` },
    body: message.body,
  })
  for (const account of of) answer.ok ? taken(account) : failed(account, await answer.clone().text())
}

const cloudEvent = (account) => new CloudEvent({ source: '/app', type: 'message.sent', subject: trait, data: { account, note: trait } })

async function cloudevents(mode) {
  if (mode === 'batch') {
    const body = JSON.stringify(accounts.map(cloudEvent))
    return post({ headers: { 'content-type': 'application/cloudevents-batch+json; charset=utf-8' }, body }, accounts)
  }
  for (const account of accounts) await post(HTTP[mode](cloudEvent(account)), [account])
}

const clients = {
  segment,
  rudderstack,
  posthog,
  'posthog-v1': posthog, // with POSTHOG_CAPTURE_MODE=v1
  'cloudevents-binary': () => cloudevents('binary'),
  'cloudevents-structured': () => cloudevents('structured'),
  'cloudevents-batch': () => cloudevents('batch'),
}
await clients[client]()
