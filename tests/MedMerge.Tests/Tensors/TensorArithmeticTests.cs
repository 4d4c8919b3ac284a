using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Tests.Tensors;

public class TensorArithmeticTests
{
    [Fact]
    public void Numbers_stay_right_while_the_garbage_collector_runs()
    {
        using var stop = new CancellationTokenSource();
        var collector = new Thread(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                GC.Collect(0);
                GC.WaitForPendingFinalizers();
            }
        });
        collector.Start();
        try
        {
            using var scope = NewDisposeScope();
            var one = ones(4, ScalarType.Float64);
            for (var i = 0; i < 20_000; i++)
            {
                using var inner = NewDisposeScope();
                var result = one.Plus(one).Plus(0.5 * i).Times(3).Over(1.5).Squared();
                Assert.Equal(Math.Pow((2 + (0.5 * i)) * 2, 2), result[0].item<double>(), 1e-9 * Math.Pow(4 + i, 2));
            }
        }
        finally
        {
            stop.Cancel();
            collector.Join();
        }
    }

    [Fact]
    public void Steps_in_place()
    {
        using var scope = NewDisposeScope();
        var a = tensor(new[] { 2.0, -4.0 });
        var b = tensor(new[] { 1.0, 8.0 });
        Assert.Equal([3.0, 4.0], Values(a.clone().Add(b)));
        Assert.Equal([2.5, 0.0], Values(a.clone().Add(b, 0.5)));
        Assert.Equal([1.0, -2.0], Values(a.clone().Scale(0.5)));
        Assert.Equal([2.0 + (3 * 1 * 2), -4.0 + (3 * 8 * -4)], Values(a.clone().AddProduct(b, a, 3)));
        Assert.Equal([2.0 + 2, -4.0 + (4 * 8.0 / -4)], Values(a.clone().AddQuotient(b, a, 4)));
        Assert.Equal([2.0, 0.0], Values(a.AtLeast(0)));
    }

    private static double[] Values(Tensor tensor) => tensor.data<double>().ToArray();
}
