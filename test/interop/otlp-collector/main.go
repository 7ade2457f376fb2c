// A collector of spans made of OpenTelemetry's own messages: gRPC and HTTP, one line of JSON for each request.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

type service struct {
	collector.UnimplementedTraceServiceServer
}

func tell(request *collector.ExportTraceServiceRequest) {
	if len(request.ProtoReflect().GetUnknown()) > 0 {
		log.Fatal("a field that OpenTelemetry does not know")
	}
	line, err := protojson.Marshal(request)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(line))
}

func (service) Export(_ context.Context, request *collector.ExportTraceServiceRequest) (*collector.ExportTraceServiceResponse, error) {
	tell(request)
	return &collector.ExportTraceServiceResponse{}, nil
}

func listen() net.Listener {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	return listener
}

func main() {
	overGrpc, overHTTP := listen(), listen()
	fmt.Printf("{\"grpc\":%d,\"http\":%d}\n", overGrpc.Addr().(*net.TCPAddr).Port, overHTTP.Addr().(*net.TCPAddr).Port)
	server := grpc.NewServer()
	collector.RegisterTraceServiceServer(server, service{})
	go func() { log.Fatal(server.Serve(overGrpc)) }()
	http.HandleFunc("POST /v1/traces", func(answer http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		spans := &collector.ExportTraceServiceRequest{}
		if err != nil || request.Header.Get("Content-Type") != "application/x-protobuf" || proto.Unmarshal(body, spans) != nil {
			answer.WriteHeader(http.StatusBadRequest)
			return
		}
		tell(spans)
	})
	go func() { log.Fatal(http.Serve(overHTTP, nil)) }()
	_, _ = io.ReadAll(os.Stdin)
}
