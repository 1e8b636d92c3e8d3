package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/bufbuild/protocompile"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// protos is the contract for gRPC.
type protos struct {
	hooks protoreflect.ServiceDescriptor
	api   protoreflect.ServiceDescriptor // nil where the contract has none
}

const (
	hooksService = "PluginHooks"
	apiService   = "PluginAPI"
)

// compile reads the contract as the plugin has it, so that a message changed
// there needs no generated code here.
func compile(folder string) (found protos, err error) {
	paths, err := filepath.Glob(filepath.Join(folder, "*.proto"))
	if err != nil {
		return found, err
	}
	if folder == "" || len(paths) == 0 {
		return found, fmt.Errorf("-protos: no .proto file in %q", folder)
	}
	var names []string
	for _, path := range paths {
		names = append(names, filepath.Base(path))
	}
	compiler := protocompile.Compiler{
		Resolver: protocompile.WithStandardImports(&protocompile.SourceResolver{ImportPaths: []string{folder}}),
	}
	files, err := compiler.Compile(context.Background(), names...)
	if err != nil {
		return found, err
	}
	for _, file := range files {
		if service := file.Services().ByName(hooksService); service != nil {
			found.hooks = service
		}
		if service := file.Services().ByName(apiService); service != nil {
			found.api = service
		}
	}
	if found.hooks == nil {
		return found, fmt.Errorf("-protos: no service %s in %q", hooksService, folder)
	}
	return found, nil
}
