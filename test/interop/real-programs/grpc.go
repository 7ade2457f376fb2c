package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

const service = "hauberk.example.Parrot"

var talkDescription = grpc.StreamDesc{StreamName: "Talk", ClientStreams: true, ServerStreams: true}

// Says everything back; what it has counted, and whether the caller went away, is asked for by `Report`.
type parrot struct {
	cancelled chan string
}

type parrotServer interface {
	talk(stream grpc.ServerStream) error
}

func serveGrpc() error {
	listener, err := listen("PORT")
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: service,
		HandlerType: (*parrotServer)(nil),
		Streams: []grpc.StreamDesc{{
			StreamName:    talkDescription.StreamName,
			ClientStreams: true,
			ServerStreams: true,
			Handler:       func(server any, stream grpc.ServerStream) error { return server.(parrotServer).talk(stream) },
		}},
	}, &parrot{cancelled: make(chan string, 100)})
	return server.Serve(listener)
}

// The first message says what is wanted: "echo", "fail", "sleep", or "who left".
func (p *parrot) talk(stream grpc.ServerStream) error {
	var message wrapperspb.StringValue
	if err := stream.RecvMsg(&message); err != nil {
		return err
	}
	switch message.Value {
	case "fail":
		stream.SetTrailer(metadata.Pairs("reason", "told-to"))
		return status.Error(codes.FailedPrecondition, "told to fail: 100% ü")
	case "sleep":
		if err := stream.SendMsg(wrapperspb.String("asleep")); err != nil {
			return err
		}
		<-stream.Context().Done()
		p.cancelled <- stream.Context().Err().Error()
		return stream.Context().Err()
	case "who left":
		select {
		case why := <-p.cancelled:
			return stream.SendMsg(wrapperspb.String(why))
		case <-time.After(5 * time.Second):
			return status.Error(codes.NotFound, "nobody left")
		}
	}
	return echo(stream)
}

func echo(stream grpc.ServerStream) error {
	if err := stream.SetHeader(metadata.Pairs("bird", "grey")); err != nil {
		return err
	}
	count := 0
	for ; ; count++ {
		var message wrapperspb.StringValue
		err := stream.RecvMsg(&message)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if err := stream.SendMsg(&message); err != nil {
			return err
		}
	}
	stream.SetTrailer(metadata.Pairs("count", fmt.Sprint(count), "blob-bin", "\x00\xff"))
	return nil
}

var calls = map[string]func(context.Context, *grpc.ClientConn) error{
	"lockstep": func(c context.Context, to *grpc.ClientConn) error { return exchange(c, to, lockstep) },
	"flood":    func(c context.Context, to *grpc.ClientConn) error { return exchange(c, to, flood) },
	"fail":     callFailing,
	"deadline": callDeadline,
	"cancel":   callCancelled,
}

func callGrpc(arguments []string) error {
	connection, err := grpc.NewClient("passthrough:///"+serviceAddress("PARROT", ""),
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithNoProxy())
	if err != nil {
		return err
	}
	defer connection.Close()
	within, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return calls[arguments[0]](within, connection)
}

func open(within context.Context, connection *grpc.ClientConn, first string) (grpc.ClientStream, error) {
	stream, err := connection.NewStream(within, &talkDescription, "/"+service+"/"+talkDescription.StreamName)
	if err != nil {
		return nil, err
	}
	return stream, stream.SendMsg(wrapperspb.String(first))
}

const messages = 1_000

// Of lengths from nothing to 4 KiB.
func messageNumber(index int) string {
	return fmt.Sprint(index) + strings.Repeat("x", index*37%4096)
}

func exchange(within context.Context, connection *grpc.ClientConn, talk func(grpc.ClientStream) error) error {
	stream, err := open(within, connection, "echo")
	if err != nil {
		return err
	}
	if err := talk(stream); err != nil {
		return err
	}
	var more wrapperspb.StringValue
	if err := stream.RecvMsg(&more); !errors.Is(err, io.EOF) {
		return fmt.Errorf("not ended properly: %w", err)
	}
	header, err := stream.Header()
	if err != nil {
		return err
	}
	trailer := stream.Trailer()
	fmt.Printf("%d messages, header bird=%s, trailer count=%s blob=%q\n",
		messages, header.Get("bird"), trailer.Get("count"), trailer.Get("blob-bin"))
	return nil
}

func lockstep(stream grpc.ClientStream) error {
	for index := range messages {
		if err := stream.SendMsg(wrapperspb.String(messageNumber(index))); err != nil {
			return err
		}
		if err := expect(stream, index); err != nil {
			return err
		}
	}
	return stream.CloseSend()
}

func flood(stream grpc.ClientStream) error {
	sent := make(chan error, 1)
	go func() {
		for index := range messages {
			if err := stream.SendMsg(wrapperspb.String(messageNumber(index))); err != nil {
				sent <- err
				return
			}
		}
		sent <- stream.CloseSend()
	}()
	for index := range messages {
		if err := expect(stream, index); err != nil {
			return err
		}
	}
	return <-sent
}

func expect(stream grpc.ClientStream, index int) error {
	var message wrapperspb.StringValue
	if err := stream.RecvMsg(&message); err != nil {
		return fmt.Errorf("message %d: %w", index, err)
	}
	if message.Value != messageNumber(index) {
		return fmt.Errorf("message %d is %.20q", index, message.Value)
	}
	return nil
}

func report(stream grpc.ClientStream, err error) {
	told := status.Convert(err)
	fmt.Printf("%s: %s; reason=%s\n", told.Code(), told.Message(), stream.Trailer().Get("reason"))
}

func callFailing(within context.Context, connection *grpc.ClientConn) error {
	stream, err := open(within, connection, "fail")
	if err != nil {
		return err
	}
	report(stream, stream.RecvMsg(new(wrapperspb.StringValue)))
	return nil
}

func callDeadline(within context.Context, connection *grpc.ClientConn) error {
	soon, cancel := context.WithTimeout(within, 500*time.Millisecond)
	defer cancel()
	if err := sleep(soon, connection, func() {}); err != nil {
		return err
	}
	return whoLeft(within, connection)
}

func callCancelled(within context.Context, connection *grpc.ClientConn) error {
	leaving, cancel := context.WithCancel(within)
	defer cancel()
	if err := sleep(leaving, connection, cancel); err != nil {
		return err
	}
	return whoLeft(within, connection)
}

func sleep(within context.Context, connection *grpc.ClientConn, then func()) error {
	stream, err := open(within, connection, "sleep")
	if err != nil {
		return err
	}
	var message wrapperspb.StringValue
	if err := stream.RecvMsg(&message); err != nil {
		return err
	}
	then()
	report(stream, stream.RecvMsg(&message))
	return nil
}

// The other end must have heard of it.
func whoLeft(within context.Context, connection *grpc.ClientConn) error {
	stream, err := open(within, connection, "who left")
	if err != nil {
		return err
	}
	var why wrapperspb.StringValue
	if err := stream.RecvMsg(&why); err != nil {
		return err
	}
	fmt.Printf("there: %s\n", why.Value)
	return nil
}
