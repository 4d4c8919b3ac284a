using System.Globalization;
using MedMerge.ClusterBenchmarks;

// By hand, not by BenchmarkDotNet: its compiler packages and those of Orleans exclude each other.
if (args is [SiloOfTrials.Mode, var images, var pause])
{
    await EmptySweep.RunSiloAsync(int.Parse(images, CultureInfo.InvariantCulture), TimeSpan.Parse(pause, CultureInfo.InvariantCulture));
    return;
}
if (args is ["trials", var trials])
{
    Console.WriteLine(await EmptyTrials.MeasureAsync(int.Parse(trials, CultureInfo.InvariantCulture)));
    return;
}
if (args is ["pages", var shown, var minutes])
{
    var duration = TimeSpan.FromMinutes(double.Parse(minutes, CultureInfo.InvariantCulture));
    Console.WriteLine(await TrialPages.MeasureAsync(int.Parse(shown, CultureInfo.InvariantCulture), duration));
    return;
}
if (args is ["telemetry"])
{
    Console.WriteLine(await TelemetryCost.MeasureAsync(rounds: 20));
    return;
}
Console.WriteLine(await Orchestration.MeasureAsync(rounds: 15));
Console.WriteLine(await TelemetryCost.MeasureAsync(rounds: 20));
Console.WriteLine(BytesPerStep.Table());
