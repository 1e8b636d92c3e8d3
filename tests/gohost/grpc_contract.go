package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/bufbuild/protocompile"
	"google.golang.org/protobuf/reflect/protoreflect"
)

const hooksService = "PluginHooks"

// compileHooks reads the contract as the plugin has it, so that a message
// changed there needs no generated code here.
func compileHooks(folder string) (protoreflect.ServiceDescriptor, error) {
	paths, err := filepath.Glob(filepath.Join(folder, "*.proto"))
	if err != nil {
		return nil, err
	}
	if folder == "" || len(paths) == 0 {
		return nil, fmt.Errorf("-protos: no .proto file in %q", folder)
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
		return nil, err
	}
	for _, file := range files {
		if service := file.Services().ByName(hooksService); service != nil {
			return service, nil
		}
	}
	return nil, fmt.Errorf("-protos: no service %s in %q", hooksService, folder)
}
