/** Android's part: makes the components and presses the buttons. `main.ts server`, `main.ts read`, `main.ts write VALUE` */
import { Client } from './Client.ts'
import { Server } from './Server.ts'

const [what, text = ''] = process.argv.slice(2)
if (what === 'server') {
  const server = new Server()
  await server.onCreate()
  server.onStart()
} else {
  const client = new Client()
  await client.onCreate()
  client.valueText.setText(text)
  await (what === 'write' ? client.writeButton : client.readButton).click()
  console.log(client.valueText.getText())
  process.exit(0)
}
