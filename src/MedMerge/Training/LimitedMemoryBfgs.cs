using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Training;

/// <summary>L-BFGS with backtracking (Nocedal and Wright 2006, algorithms 7.4 and 3.1), for smooth convex functions.</summary>
internal static class LimitedMemoryBfgs
{
    private const int History = 10;
    private const double SufficientDecrease = 1e-4;
    private const int MaxHalvings = 40;

    /// <summary>
    /// The minimiser, to a largest gradient entry of at most <paramref name="tolerance"/>, or as far as the iterations and rounding allow.
    /// </summary>
    /// <returns>The minimiser and the largest gradient entry there, by which the caller sees whether it converged.</returns>
    public static (Tensor Point, double Gradient) Minimise(
        Func<Tensor, (double Value, Tensor Gradient)> evaluate,
        Tensor start,
        int iterations,
        double tolerance,
        CancellationToken cancellation)
    {
        var x = start;
        var (value, gradient) = evaluate(x);
        var pairs = new Queue<(Tensor Step, Tensor Change, double Curvature)>();
        for (var i = 0; i < iterations && Largest(gradient) > tolerance; i++)
        {
            DeviceThread.Yield(cancellation);
            var direction = -Direction(gradient, pairs);
            var slope = Dot(direction, gradient);
            var length = pairs.Count == 0 ? 1 / Math.Max(1, gradient.abs().sum().item<double>()) : 1.0;

            var moved = false;
            for (var halvings = 0; halvings < MaxHalvings && !moved; halvings++, length /= 2)
            {
                var candidate = x.Plus(direction.Times(length));
                var (newValue, newGradient) = evaluate(candidate);
                if (!(newValue <= value + (SufficientDecrease * length * slope))) continue;
                var (step, change) = (candidate - x, newGradient - gradient);
                var curvature = Dot(step, change);
                if (curvature > 1e-14) pairs.Enqueue((step, change, curvature));
                if (pairs.Count > History) pairs.Dequeue();
                x = candidate;
                value = newValue;
                gradient = newGradient;
                moved = true;
            }
            if (!moved) break; // rounding decides from here on
        }
        return (x, Largest(gradient));
    }

    private static double Largest(Tensor gradient) => gradient.abs().max().item<double>();

    /// <summary>The two-loop recursion: the inverse Hessian's estimate times the gradient.</summary>
    private static Tensor Direction(Tensor gradient, Queue<(Tensor Step, Tensor Change, double Curvature)> pairs)
    {
        var q = gradient;
        var weights = new Stack<double>();
        foreach (var (step, change, curvature) in pairs.Reverse())
        {
            weights.Push(Dot(step, q) / curvature);
            q -= change.Times(weights.Peek());
        }
        if (pairs.Count > 0)
        {
            var (_, change, curvature) = pairs.Last();
            q = q.Times(curvature / Dot(change, change));
        }
        foreach (var (step, change, curvature) in pairs)
            q = q.Plus(step.Times(weights.Pop() - (Dot(change, q) / curvature)));
        return q;
    }

    private static double Dot(Tensor a, Tensor b) => (a * b).sum().item<double>();
}
