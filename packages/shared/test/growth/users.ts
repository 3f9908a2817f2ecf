/** A user is known for as long as he has channels, or something of his waits. */
import { Hub } from 'memfd-native'
import t from 'tap'
import { User } from '../../src/channel/user.ts'
import { heldObjects } from '../../test-support/index.ts'

Hub.current()

const keeper = { serveKept: () => false }

t.test('users whose last channel has ended are held by nobody', async (t) => {
  const held = await heldObjects(() => {
    const users = Array.from({ length: 50 }, (_, i) => User.join(70_000 + i))
    for (const user of users) user.leave(keeper)
    return users
  })
  t.equal(held, 0)
})

t.test('a user with a channel left is the same user', async (t) => {
  const user = User.join(80_000)
  t.equal(User.join(80_000), user)
  user.leave(keeper)
  t.equal(User.join(80_000), user)
  user.leave(keeper)
  user.leave(keeper)
  const next = User.join(80_000)
  t.not(next, user)
  next.leave(keeper)
})
