using System.Runtime.InteropServices;
using MedMerge.Grains.Work;
using MedMerge.Storage;

namespace MedMerge.Grains.Tests.Work;

public sealed class FailureClassTests
{
    [Fact]
    public void Bad_input_is_permanent_and_its_words_are_kept()
    {
        const string Words = "sources.yaml:3: no such file.\nAnd a second line.";
        Assert.Equal(new Failure(FailureKind.Permanent, Words), FailureClass.Of(new InputException(Words)));
    }

    [Fact]
    public void Too_little_memory_of_the_node_may_pass_only_where_other_work_used_it()
    {
        var error = new OutOfMemoryException("no");
        var alone = FailureClass.Of(error);

        Assert.Equal(FailureKind.Permanent, alone.Kind);
        Assert.Equal(FailureKind.Transient, FailureClass.BesideOtherWork(alone, error).Kind);
        var other = FailureClass.Of(new InputException("bad"));
        Assert.Same(other, FailureClass.BesideOtherWork(other, new InputException("bad")));
    }

    [Fact]
    public void A_missing_artefact_stays_missing_whatever_the_attempt()
    {
        var error = new MissingArtefactException("weight file 'a.safetensors'", "abc");

        var failure = FailureClass.Of(error);

        Assert.Equal(new Failure(FailureKind.Permanent, error.Message), failure);
        Assert.Null(RetryPolicy.DelayAfter(failure, attempt: 1));
    }

    [Fact]
    public void A_full_disk_may_have_room_again()
    {
        var error = DiskException.Of("/store/artefacts/ab", new IOException("No space left on device", 28));

        var failure = FailureClass.Of(error);

        Assert.Equal(new Failure(FailureKind.Transient, error.Message), failure);
        Assert.NotNull(RetryPolicy.DelayAfter(failure, attempt: 1));
    }

    [Theory]
    [InlineData("CUDA out of memory. Tried to allocate 20 GiB\nat frame 1")]
    [InlineData("[enforce fail] DefaultCPUAllocator: Out of Memory")]
    public void Too_little_memory_of_a_device_may_pass_with_other_work_and_says_what_helps(string message)
    {
        var failure = FailureClass.Of(new ExternalException(message));
        Assert.Equal(FailureKind.Transient, failure.Kind);
        Assert.NotNull(RetryPolicy.DelayAfter(failure, attempt: 1));
        Assert.Null(RetryPolicy.DelayAfter(failure, RetryPolicy.MaxAttempts)); // what never fits is not tried for ever
        Assert.Contains("Smaller batches", failure.Reason, StringComparison.Ordinal);
        Assert.DoesNotContain("frame", failure.Reason, StringComparison.Ordinal);
        Assert.Equal(FailureKind.Permanent, FailureClass.Of(new OutOfMemoryException()).Kind);
    }

    [Theory]
    [InlineData("CUDA error: an illegal memory access was encountered")]
    [InlineData("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED")]
    [InlineData("cuBLAS error: not initialised")]
    public void A_broken_device_makes_the_node_bad(string message) =>
        Assert.Equal(
            new Failure(FailureKind.NodeBad, $"ExternalException: {message}"),
            FailureClass.Of(new ExternalException(message + "\nstack")));

    /// <summary>They name CUDA, and say nothing against the device: the node stays.</summary>
    [Theory]
    [InlineData("Expected all tensors to be on the same device, but found at least two devices, cuda:0 and cpu!", FailureKind.Transient)]
    [InlineData("CUDA error: device-side assert triggered", FailureKind.Permanent)]
    [InlineData("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate(handle)", FailureKind.Transient)]
    public void A_mistake_on_a_device_is_not_the_devices(string message, FailureKind kind) =>
        Assert.Equal(kind, FailureClass.Of(new ExternalException(message)).Kind);

    [Fact]
    public void A_node_that_cannot_compute_or_was_cut_off_is_bad()
    {
        Assert.Equal(FailureKind.NodeBad, FailureClass.Of(new PlatformNotSupportedException("no libtorch")).Kind);
        Assert.Equal(FailureKind.NodeBad, FailureClass.Of(new ProcessFencedException("stopped")).Kind);
    }

    [Fact]
    public void Anything_else_may_pass_and_names_its_kind()
    {
        var failure = FailureClass.Of(new IOException("disk full\nmore"));
        Assert.Equal(new Failure(FailureKind.Transient, "IOException: disk full more"), failure);
        Assert.Equal(FailureKind.Transient, FailureClass.Of(new ExternalException("shape mismatch")).Kind);
        Assert.Equal(FailureKind.Transient, FailureClass.Of(new InvalidDataException("damaged")).Kind);
    }

    [Fact]
    public void Another_grains_failure_stays_what_it_was()
    {
        var failure = new Failure(FailureKind.Permanent, "as it was");
        Assert.Same(failure, FailureClass.Of(new WorkFailedException(failure)));
    }

    [Fact]
    public void A_silo_out_of_reach_is_told_from_work_that_failed()
    {
        Assert.True(FailureClass.IsNodeGone(new TimeoutException()));
        Assert.True(FailureClass.IsNodeGone(new SiloUnavailableException()));
        Assert.False(FailureClass.IsNodeGone(new InvalidDataException()));
        Assert.False(FailureClass.IsNodeGone(new InputException("x")));
        Assert.False(FailureClass.IsNodeGone(new OperationCanceledException()));
    }
}
