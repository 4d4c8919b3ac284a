using System.Diagnostics;
using System.Globalization;
using MedMerge.Storage;

namespace MedMerge.ClusterBenchmarks;

/// <summary>
/// A sweep of trials that compute nothing on two silos, which are processes of this program, with Azurite: the overhead of a trial, and
/// whether it and the memory grow with what has ended.
/// </summary>
internal static class EmptyTrials
{
    private const int Parts = 10;
    private static readonly TimeSpan Deadline = TimeSpan.FromHours(1);

    /// <summary>Measures.</summary>
    /// <returns>A table as Markdown.</returns>
    public static async Task<string> MeasureAsync(int trials)
    {
        await using var sweep = await EmptySweep.StartAsync(trials, images: 0, TimeSpan.Zero);
        var silos = sweep.Silos;
        var sweeps = new SweepStore(sweep.Objects);
        var rows = new List<string>();
        Sample? first = null, last = null;
        var start = Stopwatch.GetTimestamp();
        while (true)
        {
            await Task.Delay(200);
            var (head, _) = (await sweeps.FindHeadAsync(sweep.Id, CancellationToken.None))!.Value;
            var now = new Sample(head.Counts.Done, Stopwatch.GetElapsedTime(start), [.. silos.Select(silo => silo.Memory)], silos);
            first ??= head.Counts.Done > 0 ? now : null; // silos have started, plans are built
            last ??= first;
            if (last is not null && (now.Done - last.Done >= trials / Parts || head.Counts.Pending == 0 && head.Counts.Total > 0))
            {
                var size = (await sweep.Objects.ReadAsync(SweepStore.Prefix + sweep.Id, CancellationToken.None))!.Content.Length;
                rows.Add(now.Describe(last, size));
                Console.Error.WriteLine(rows[^1]);
                last = now;
            }
            if (head.Counts.Total > 0 && head.Counts.Pending == 0) break;
            if (Stopwatch.GetElapsedTime(start) > Deadline) throw new TimeoutException($"{head.Counts.Done} trials are done.");
        }
        await Task.Delay(TimeSpan.FromSeconds(2)); // silos say what they have written
        var slots = silos.Count; // one lane each
        var overhead = (last!.Time - first!.Time).TotalSeconds * slots / (last.Done - first.Done);
        var written = silos.Select(silo => silo.Written).Aggregate((one, other) => [.. one.Zip(other, (a, b) => a + b)]);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"""
            | trials done | trials a second | ms a trial | memory of the silos in MB | size of the head in bytes |
            | ---: | ---: | ---: | ---: | ---: |
            {string.Join('\n', rows)}

            {last.Done} trials on {silos.Count} silos of one lane each: {overhead:0.000} slot-seconds a trial.
            Written: {written[0]} times {written[1]:N0} bytes in all to the sweep's record, {(double)written[1] / last.Done:0} a trial;
            {written[2]} times {written[3]:N0} bytes of all else.
            """);
    }

    /// <summary>How far the sweep is at a moment.</summary>
    private sealed record Sample(int Done, TimeSpan Time, IReadOnlyList<long> Memory, IReadOnlyList<SiloOfTrials> Silos)
    {
        public string Describe(Sample before, int head)
        {
            var seconds = (Time - before.Time).TotalSeconds;
            var memory = string.Join(" and ", Memory.Select(bytes => bytes / 1_000_000));
            return string.Create(
                CultureInfo.InvariantCulture,
                $"| {Done} | {(Done - before.Done) / seconds:0.0} | {1000 * seconds / (Done - before.Done):0.0} | {memory} | {head:N0} |");
        }
    }
}
