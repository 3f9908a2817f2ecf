// etcd-client HOST:PORT KEY: for each line of stdin one compare-and-set by etcd's own client; says how many nanoseconds it took.
// Of Debian: golang-go, golang-etcd-server-dev. GO111MODULE=off GOPATH=/usr/share/gocode go build etcd-client.go
package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"time"

	"go.etcd.io/etcd/clientv3"
)

func main() {
	client, err := clientv3.New(clientv3.Config{Endpoints: os.Args[1:2], DialTimeout: 5 * time.Second})
	if err != nil {
		panic(err)
	}
	defer client.Close()
	key, revision := os.Args[2], int64(0)
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		begin := time.Now()
		answer, err := client.Txn(context.Background()).
			If(clientv3.Compare(clientv3.ModRevision(key), "=", revision)).
			Then(clientv3.OpPut(key, lines.Text())).Commit()
		took := time.Since(begin)
		if err != nil || !answer.Succeeded {
			panic(fmt.Sprint(err, answer))
		}
		revision = answer.Header.Revision
		fmt.Println(took.Nanoseconds())
	}
}
