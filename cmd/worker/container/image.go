//go:build linux

package container

import (
	"context"
	"fmt"
	"strings"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/distribution/reference"
	"github.com/moby/moby/api/types/image"
	"github.com/moby/moby/client"
)

// pullTries is how often an image is asked for that does not come.
const (
	pullTries = 3
	pullPause = 2 * time.Second // after the first; then twice as long
)

// named reads an image reference and gives it in full: with its registry, and with
// its digest or else its tag. In that form it can never mean an image's number.
func named(image string) (reference.Named, error) {
	ref, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return nil, fmt.Errorf("%q is no image reference: %w", image, err)
	}
	if digested, ok := ref.(reference.Digested); ok {
		// A tag beside the digest says nothing.
		ref, err = reference.WithDigest(reference.TrimNamed(ref), digested.Digest())
		if err != nil {
			return nil, fmt.Errorf("%q is no image reference: %w", image, err)
		}
		return ref, nil
	}
	return reference.TagNameOnly(ref), nil
}

// checkRule tells what is wrong with one of Config.Images.
func checkRule(rule string) error {
	beginning, open := strings.CutSuffix(rule, "*")
	if open {
		if strings.ContainsAny(beginning, "* \t") {
			return fmt.Errorf("want an image, or its beginning and *, not %q", rule)
		}
		return nil
	}
	_, err := named(rule)
	return err
}

// permitted tells whether one of the rules allows an image. The beginning of a
// rule may be that of the image in full or of its short form: "alpine:*" as well
// as "docker.io/library/alpine:*".
func permitted(rules []string, ref reference.Named) bool {
	for _, rule := range rules {
		if beginning, open := strings.CutSuffix(rule, "*"); open {
			if strings.HasPrefix(ref.String(), beginning) || strings.HasPrefix(reference.FamiliarString(ref), beginning) {
				return true
			}
			continue
		}
		if whole, err := named(rule); err == nil && whole.String() == ref.String() {
			return true
		}
	}
	return false
}

// image makes sure that an image is here, and tells what it is. It pulls only what
// is not here. A fault of the work is told as the reason, others as an error.
func (e *Engine) image(ctx context.Context, ref reference.Named) (found image.InspectResponse, reason string, err error) {
	for try, pause := 1, pullPause; ; try, pause = try+1, 2*pause {
		here, err := e.api.ImageInspect(ctx, ref.String())
		if err == nil {
			return here.InspectResponse, "", nil
		}
		if !cerrdefs.IsNotFound(err) {
			return found, "", fmt.Errorf("looking for image %s: %w", ref, err)
		}
		err = e.pull(ctx, ref)
		switch {
		case err == nil && try < pullTries:
		case err == nil:
			return found, "", fmt.Errorf("image %s was pulled and is not there", ref)
		case unobtainable(err):
			return found, fmt.Sprintf("image %s cannot be had: %v", ref, err), nil
		case try == pullTries || client.IsErrConnectionFailed(err):
			return found, "", fmt.Errorf("pulling image %s: %w", ref, err)
		default:
			if e.Pause(ctx, pause) != nil {
				return found, "", fmt.Errorf("pulling image %s: %w", ref, err)
			}
		}
	}
}

func (e *Engine) pull(ctx context.Context, ref reference.Named) (err error) {
	progress, err := e.api.ImagePull(ctx, ref.String(), client.ImagePullOptions{})
	if err != nil {
		return err
	}
	return progress.Wait(ctx)
}

// unobtainable tells an answer by which the image cannot be had here or anywhere:
// all others are troubles of this place and this hour.
func unobtainable(err error) bool {
	return cerrdefs.IsInvalidArgument(err) || cerrdefs.IsNotFound(err) || cerrdefs.IsPermissionDenied(err) || cerrdefs.IsUnauthorized(err)
}
