package main

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
)

const chunk = 256 << 10

// Octets that do not repeat, and are the same for everybody.
func noise(w io.Writer, octets int64) error {
	block, err := aes.NewCipher(make([]byte, 16))
	if err != nil {
		return err
	}
	stream := cipher.NewCTR(block, make([]byte, 16))
	buffer := make([]byte, chunk)
	for octets > 0 {
		part := buffer[:min(octets, chunk)]
		clear(part)
		stream.XORKeyStream(part, part)
		if _, err := w.Write(part); err != nil {
			return err
		}
		octets -= int64(len(part))
	}
	return nil
}

func writeNoise(arguments []string) error {
	count, err := octets(arguments[0])
	if err != nil {
		return err
	}
	return noise(os.Stdout, count)
}

// An HTTP server that speaks every version without TLS: it says how it was asked, sends noise, and digests what it is sent.
func serveWeb() error {
	routes := http.NewServeMux()
	routes.HandleFunc("GET /hello", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "hello over %s from %s\n", r.Proto, r.Header.Get("X-Forwarded-Client-Cert"))
	})
	routes.HandleFunc("GET /noise", func(w http.ResponseWriter, r *http.Request) {
		count, err := octets(r.URL.Query().Get("octets"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Length", strconv.FormatInt(count, 10))
		_ = noise(w, count)
	})
	routes.HandleFunc("PUT /", func(w http.ResponseWriter, r *http.Request) {
		digest := sha256.New()
		count, err := io.CopyBuffer(digest, struct{ io.Reader }{r.Body}, make([]byte, chunk))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		fmt.Fprintf(w, "%x %d announced %d\n", digest.Sum(nil), count, r.ContentLength)
	})
	server := &http.Server{Handler: routes, Protocols: new(http.Protocols)}
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetUnencryptedHTTP2(true)
	ended := make(chan error)
	for _, port := range []string{"PORT_8080", "PORT_8081", "PORT_8082"} {
		listener, err := listen(port)
		if err != nil {
			return err
		}
		go func() { ended <- server.Serve(listener) }()
	}
	return <-ended
}
