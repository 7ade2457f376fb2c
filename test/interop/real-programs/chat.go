package main

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

const patience = 10 * time.Second

// A room: what one says, all hear. Who says "out" is shown out by the server; "pings" asks it for one.
type room struct {
	sync.Mutex
	guests map[*websocket.Conn]bool
}

func serveChat() error {
	listener, err := listen("PORT")
	if err != nil {
		return err
	}
	here := &room{guests: map[*websocket.Conn]bool{}}
	http.HandleFunc("/room", here.welcome)
	return http.Serve(listener, nil)
}

func (r *room) welcome(w http.ResponseWriter, request *http.Request) {
	upgrader := websocket.Upgrader{Subprotocols: []string{"chat"}}
	guest, err := upgrader.Upgrade(w, request, http.Header{"X-Room": {"hall"}})
	if err != nil {
		return
	}
	defer guest.Close()
	r.Lock()
	r.guests[guest] = true
	r.Unlock()
	defer func() {
		r.Lock()
		delete(r.guests, guest)
		r.Unlock()
		r.say("somebody left")
	}()
	r.say("somebody came")
	for {
		_, said, err := guest.ReadMessage()
		if err != nil {
			return
		}
		switch string(said) {
		case "out":
			farewell := websocket.FormatCloseMessage(4001, "shown out")
			_ = guest.WriteControl(websocket.CloseMessage, farewell, time.Now().Add(patience))
		default:
			r.say(string(said))
		}
	}
}

func (r *room) say(text string) {
	r.Lock()
	defer r.Unlock()
	for guest := range r.guests {
		_ = guest.WriteMessage(websocket.TextMessage, []byte(text))
	}
}

type guest struct {
	*websocket.Conn
}

func enter() (guest, error) {
	dialer := websocket.Dialer{Subprotocols: []string{"chat"}, HandshakeTimeout: patience}
	connection, answer, err := dialer.Dial("ws://"+serviceAddress("CHAT", "")+"/room", nil)
	if err != nil {
		if answer != nil {
			return guest{}, fmt.Errorf("%s: %w", answer.Status, err)
		}
		return guest{}, err
	}
	if answer.Header.Get("X-Room") != "hall" || connection.Subprotocol() != "chat" {
		return guest{}, fmt.Errorf("answered with %v", answer.Header)
	}
	_ = connection.SetReadDeadline(time.Now().Add(patience))
	return guest{connection}, nil
}

func (g guest) hears(text string) error {
	_, said, err := g.ReadMessage()
	if err != nil {
		return fmt.Errorf("waiting for %.20q: %w", text, err)
	}
	if string(said) != text {
		return fmt.Errorf("heard %.20q, not %.20q", said, text)
	}
	return nil
}

func (g guest) says(text string) error {
	return g.WriteMessage(websocket.TextMessage, []byte(text))
}

func joinChat([]string) error {
	alice, err := enter()
	if err != nil {
		return err
	}
	if err := alice.hears("somebody came"); err != nil {
		return err
	}
	bob, err := enter()
	if err != nil {
		return err
	}
	for _, both := range []guest{alice, bob} {
		if err := both.hears("somebody came"); err != nil {
			return err
		}
	}
	if err := converse(alice, bob); err != nil {
		return err
	}
	return takeLeave(alice, bob)
}

func converse(alice, bob guest) error {
	for index := range 200 {
		// Of every form that lengths of frames have.
		said := fmt.Sprint(index) + strings.Repeat("ä", index*index*5)
		speaker := []guest{alice, bob}[index%2]
		if err := speaker.says(said); err != nil {
			return err
		}
		for _, both := range []guest{alice, bob} {
			if err := both.hears(said); err != nil {
				return err
			}
		}
	}
	fmt.Println("200 sayings heard by both")
	return nil
}

// One is shown out by the server, the other leaves by itself.
func takeLeave(alice, bob guest) error {
	if err := alice.says("out"); err != nil {
		return err
	}
	_, _, err := alice.ReadMessage()
	var end *websocket.CloseError
	if !errors.As(err, &end) {
		return fmt.Errorf("not shown out: %w", err)
	}
	fmt.Printf("closed there: %d %s\n", end.Code, end.Text)
	alice.Close()
	if err := bob.hears("somebody left"); err != nil {
		return err
	}
	farewell := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "good night")
	if err := bob.WriteControl(websocket.CloseMessage, farewell, time.Now().Add(patience)); err != nil {
		return err
	}
	if _, _, err := bob.ReadMessage(); !errors.As(err, &end) {
		return fmt.Errorf("no farewell: %w", err)
	}
	fmt.Printf("closed here: %d\n", end.Code)
	return nil
}
