using System.Net;
using System.Runtime.InteropServices;
using MedMerge.Grains.Nodes;
using MedMerge.Testing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace MedMerge.Grains.Tests.Nodes;

public sealed class FailureReporterTests
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));
    private readonly DeviceHealth _deviceHealth = new();
    private readonly RecordingLogger _log = new();
    private readonly FailureReporter _reporter;

    public FailureReporterTests() =>
        _reporter = new FailureReporter(new Silo(), _deviceHealth, _time, _log.CreateLogger<FailureReporter>());

    [Fact]
    public void An_unexpected_error_is_logged_with_its_stack_and_its_failure_says_where()
    {
        var error = Thrown(new NullReferenceException("oops"));

        var failure = _reporter.Report(error, "Stage 'merge'");

        Assert.Equal(FailureKind.Transient, failure.Kind);
        Assert.Matches(@"^NullReferenceException: oops \(log of node .+:11111@\d+ at 2026-03-01 12:00:00Z\)$", failure.Description);
        var line = Assert.Single(_log.Lines);
        Assert.Same(error, line.Error);
        Assert.Equal((LogLevel.Error, "Stage 'merge' failed unexpectedly (Transient)."), (line.Level, line.Message));
    }

    [Fact]
    public void Bad_input_is_one_line_and_needs_no_log()
    {
        var failure = _reporter.Report(Thrown(new InputException("sources.yaml:3: no such file.")), "Stage 'import'");

        Assert.Equal("sources.yaml:3: no such file.", failure.Description);
        var line = Assert.Single(_log.Lines);
        Assert.Null(line.Error);
        Assert.Equal("Stage 'import' failed: sources.yaml:3: no such file.", line.Message);
    }

    /// <summary>They are never retried either, but their cause may be a bug.</summary>
    [Fact]
    public void A_computation_that_failed_and_an_unreadable_artefact_are_logged_with_their_stack()
    {
        var diverged = Thrown(new ComputationException("Training diverged."));
        var unreadable = Thrown(new UnreadableArtefactException("model.safetensors", new InputException("its header is not JSON")));

        var failures = new[] { _reporter.Report(diverged, "Stage 'fine-tune'"), _reporter.Report(unreadable, "Stage 'evaluate'") };

        Assert.All(failures, failure => Assert.Equal(FailureKind.Permanent, failure.Kind));
        Assert.All(failures, failure => Assert.NotNull(failure.Origin));
        Assert.Equal([diverged, unreadable], _log.Lines.Select(line => line.Error));
        Assert.Equal("Training diverged.", failures[0].Reason);
        Assert.Equal(
            "UnreadableArtefactException: The artefact 'model.safetensors' can't be read: its header is not JSON",
            failures[1].Reason);
    }

    [Fact]
    public void A_failure_that_another_node_has_reported_stays_as_it_is()
    {
        var known = new Failure(FailureKind.NodeBad, "why", new FailureOrigin("elsewhere", DateTimeOffset.UnixEpoch));

        Assert.Same(known, _reporter.Report(new WorkFailedException(known), "Stage 'weigh'"));

        Assert.Null(Assert.Single(_log.Lines).Error);
        Assert.False(_deviceHealth.Unfit.IsCancellationRequested);
    }

    [Fact]
    public void A_broken_device_takes_the_node_out()
    {
        var failure = _reporter.Report(Thrown(new ExternalException("CUDA error: an illegal memory access was encountered")), "Shard 0");

        Assert.Equal(FailureKind.NodeBad, failure.Kind);
        Assert.Equal("ExternalException: CUDA error: an illegal memory access was encountered", _deviceHealth.Reason);
        Assert.NotNull(Assert.Single(_log.Lines).Error);
    }

    private static T Thrown<T>(T error)
        where T : Exception
    {
        try
        {
            throw error;
        }
        catch (T caught)
        {
            return caught;
        }
    }

    private sealed class Silo : ILocalSiloDetails
    {
        public string Name => "silo";

        public string ClusterId => "cluster";

        public string DnsHostName => "localhost";

        public SiloAddress SiloAddress { get; } = SiloAddress.New(IPAddress.Loopback, 11111, 1);

        public SiloAddress GatewayAddress => SiloAddress;
    }
}
