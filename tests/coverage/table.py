"""How each public name of Keras is covered by a test of values, and where we differ on purpose.

`HOW[room][evidence]` lists names. Evidence is

* ``vectors``: the tables of Keras's values (`tests/parity/test_vectors.py`) have cases of it;
* ``walks <patterns>``: so have those of training runs (`tests/parity/test_optimizers.py`);
* ``class``: it is the function of a class that is covered;
* ``alias``: it is the very object of another name that is covered;
* ``tests/<file>::<test>``: that test is about it.
"""

LOSSES, METRICS = "tests/losses/test_losses.py", "tests/metrics/test_metrics.py"
SCHEDULES, OPTIMIZERS = "tests/optimizers/test_schedules.py", "tests/optimizers/test_optimizers.py"
INITIALIZERS = "tests/initializers/test_initializers.py"
FOURIER = "tests/initializers/test_fourier.py"
REGULARIZERS = "tests/regularizers/test_regularizers.py"
CONSTRAINTS = "tests/constraints/test_constraints.py"
ROOMS = "tests/coverage/test_rooms.py"
ACTIVATIONS, CALLBACKS = "tests/activations/test_activations.py", "tests/callbacks"

HOW: dict[str, dict[str, str]] = {
    "losses": {
        "vectors": """
            BinaryCrossentropy BinaryFocalCrossentropy CTC CategoricalCrossentropy
            CategoricalFocalCrossentropy CategoricalGeneralizedCrossEntropy CategoricalHinge Circle
            CosineSimilarity Dice Hinge Huber KLDivergence LogCosh MeanAbsoluteError
            MeanAbsolutePercentageError MeanSquaredError MeanSquaredLogarithmicError Poisson
            SparseCategoricalCrossentropy SquaredHinge Tversky""",
        "class": """
            binary_crossentropy binary_focal_crossentropy categorical_crossentropy
            categorical_focal_crossentropy categorical_generalized_cross_entropy categorical_hinge
            circle cosine_similarity ctc dice hinge huber kl_divergence log_cosh
            mean_absolute_error mean_absolute_percentage_error mean_squared_error
            mean_squared_logarithmic_error poisson sparse_categorical_crossentropy squared_hinge
            tversky""",
        f"{LOSSES}::test_a_loss_of_the_user_is_a_class_with_call": "Loss",
        f"{LOSSES}::test_names_of_functions": "get deserialize",
        f"{LOSSES}::test_saved_and_read_back": "serialize",
    },
    "metrics": {
        "vectors": """
            AUC Accuracy BinaryAccuracy BinaryCrossentropy BinaryIoU CategoricalAccuracy
            CategoricalCrossentropy CategoricalHinge ConcordanceCorrelation CosineSimilarity F1Score
            FBetaScore FalseNegatives FalsePositives Hinge IoU KLDivergence LogCoshError Mean
            MeanAbsoluteError MeanAbsolutePercentageError MeanIoU MeanSquaredError
            MeanSquaredLogarithmicError OneHotIoU OneHotMeanIoU PearsonCorrelation Poisson Precision
            PrecisionAtRecall R2Score Recall RecallAtPrecision RootMeanSquaredError
            SensitivityAtSpecificity SparseCategoricalAccuracy SparseCategoricalCrossentropy
            SparseTopKCategoricalAccuracy SpecificityAtSensitivity SquaredHinge Sum
            TopKCategoricalAccuracy TrueNegatives TruePositives""",
        "class": """
            binary_accuracy categorical_accuracy concordance_correlation pearson_correlation
            sparse_categorical_accuracy sparse_top_k_categorical_accuracy
            top_k_categorical_accuracy""",
        "alias": """
            binary_crossentropy binary_focal_crossentropy categorical_crossentropy
            categorical_focal_crossentropy categorical_hinge hinge huber kl_divergence log_cosh
            mean_absolute_error mean_absolute_percentage_error mean_squared_error
            mean_squared_logarithmic_error poisson sparse_categorical_crossentropy
            squared_hinge""",
        f"{METRICS}::test_functions_become_metrics": "MeanMetricWrapper",
        f"{METRICS}::test_a_metric_of_the_user": "Metric",
        f"{METRICS}::test_names": "get",
        f"{METRICS}::test_saved_and_read_back": "serialize deserialize",
    },
    "optimizers": {
        "walks sgd sgd_*": "SGD",
        "walks adagrad adagrad_*": "Adagrad",
        "walks adadelta adadelta_*": "Adadelta",
        "walks rmsprop rmsprop_*": "RMSprop",
        "walks adam adam__*": "Adam",
        "walks adamw adamw_*": "AdamW",
        "walks adamax adamax_*": "Adamax",
        "walks nadam nadam_*": "Nadam",
        "walks ftrl ftrl_*": "Ftrl",
        "walks lion lion_*": "Lion",
        "walks lamb lamb_*": "Lamb",
        "walks adafactor": "Adafactor",
        "tests/optimizers/test_recorded.py::test_variables_and_state_are_those_of_keras": """
            LossScaleOptimizer MultiOptimizer Muon ScheduleFreeAdamW""",
        "tests/optimizers/test_multi.py::"
        "test_a_path_wins_over_expressions_and_the_rest_is_the_defaults": "OptimizerMap",
        f"{OPTIMIZERS}::test_a_rule_of_ones_own_is_recorded_and_trains": "Optimizer",
        f"{ROOMS}::test_names_classes_objects_and_none": "get",
        f"{ROOMS}::test_a_record_makes_an_object_with_the_same_arguments": """
            serialize deserialize""",
    },
    "optimizers.schedules": {
        "vectors": """
            CosineDecay CosineDecayRestarts ExponentialDecay InverseTimeDecay
            PiecewiseConstantDecay PolynomialDecay""",
        f"{SCHEDULES}::test_a_schedule_of_ones_own_may_use_numbers_or_ops": "LearningRateSchedule",
        f"{ROOMS}::test_a_record_makes_an_object_with_the_same_arguments": """
            serialize deserialize""",
    },
    "initializers": {
        "vectors": """
            Constant GlorotNormal GlorotUniform HeNormal HeUniform Identity LecunNormal LecunUniform
            Ones Orthogonal RandomNormal RandomUniform TruncatedNormal VarianceScaling Zeros""",
        "alias": """
            IdentityInitializer OrthogonalInitializer STFTInitializer constant glorot_normal
            glorot_uniform he_normal he_uniform identity lecun_normal lecun_uniform ones orthogonal
            random_normal random_uniform stft truncated_normal variance_scaling zeros""",
        f"{FOURIER}::test_scalings_are_those_of_keras": "STFT",
        f"{INITIALIZERS}::test_misuse_gets_a_clear_error": "get",
        f"{INITIALIZERS}::test_a_clone_has_the_same_arguments": "Initializer",
        f"{INITIALIZERS}::test_a_config_makes_the_same_initializer": "serialize deserialize",
    },
    "regularizers": {
        "vectors": "L1 L1L2 L2 OrthogonalRegularizer",
        "alias": "l1 l1_l2 l2 orthogonal_regularizer",
        f"{REGULARIZERS}::test_a_function_or_a_class_of_ones_own_is_added_to_the_loss": """
            Regularizer""",
        f"{REGULARIZERS}::test_names_stand_for_regularizers_with_their_defaults": "get",
        f"{REGULARIZERS}::test_a_config_makes_the_same_regularizer": "serialize deserialize",
    },
    "constraints": {
        "vectors": "MaxNorm MinMaxNorm NonNeg UnitNorm",
        "alias": "max_norm min_max_norm non_neg unit_norm",
        f"{CONSTRAINTS}::test_the_base_class_leaves_weights_alone": "Constraint",
        f"{CONSTRAINTS}::test_names_stand_for_constraints": "get",
        f"{CONSTRAINTS}::test_a_config_makes_the_same_constraint": "serialize deserialize",
    },
    "activations": {
        "vectors": """
            celu elu exponential gelu glu hard_shrink hard_sigmoid hard_silu hard_tanh leaky_relu
            linear log_sigmoid log_softmax mish relu relu6 selu sigmoid silu soft_shrink softmax
            softplus softsign sparse_plus sparse_sigmoid sparsemax squareplus tanh tanh_shrink
            threshold""",
        "alias": "hard_swish swish",
        f"{ACTIVATIONS}::test_each_is_found_by_its_name_and_saved_as_it": """
            get serialize deserialize""",
    },
    "callbacks": {
        f"{CALLBACKS}/test_backup_and_restore.py::"
        "test_a_run_that_was_cut_off_goes_on_from_its_backup": "BackupAndRestore",
        f"{CALLBACKS}/test_csv_logger.py::test_files_are_those_of_keras": "CSVLogger",
        f"{CALLBACKS}/test_callback_list.py::"
        "test_hooks_are_called_in_the_order_and_with_the_arguments_of_keras": """
            Callback CallbackList""",
        f"{CALLBACKS}/test_early_stopping.py::test_decisions_are_those_of_keras": "EarlyStopping",
        f"{CALLBACKS}/test_callback_list.py::test_a_history_goes_on_collecting_over_runs": """
            History""",
        f"{CALLBACKS}/test_lambda_callback.py::"
        "test_functions_are_called_in_their_hooks_in_a_fit": "LambdaCallback",
        f"{CALLBACKS}/test_learning_rate_scheduler.py::"
        "test_a_function_of_epoch_and_rate_sets_each_epochs_rate": "LearningRateScheduler",
        f"{CALLBACKS}/test_model_checkpoint.py::test_the_best_epochs_are_those_of_keras": """
            ModelCheckpoint""",
        f"{CALLBACKS}/test_progress.py::"
        "test_redirected_output_gets_one_plain_line_per_epoch": "ProgbarLogger",
        f"{CALLBACKS}/test_reduce_lr_on_plateau.py::test_decisions_are_those_of_keras": """
            ReduceLROnPlateau""",
        f"{CALLBACKS}/test_remote_monitor.py::test_logs_are_sent_as_a_field_of_a_form": """
            RemoteMonitor""",
        f"{CALLBACKS}/test_swap_ema_weights.py::"
        "test_losses_and_weights_are_those_of_keras": "SwapEMAWeights",
        f"{CALLBACKS}/test_tensorboard.py::test_epochs_have_the_names_of_keras": "TensorBoard",
        f"{CALLBACKS}/test_terminate_on_nan.py::"
        "test_training_ends_after_the_batch_whose_loss_is_no_number": "TerminateOnNaN",
    },
}

# names that are not there yet
PENDING: dict[str, str] = {}

# classes that are no choice of a string: there is nothing to make of them without arguments
ABSTRACT = ("Optimizer",)

# name -> argument (or ".member") -> why it is not as in Keras
DIFFERENCES: dict[str, dict[str, str]] = {
    "callbacks.TensorBoard": {
        ".summary": "TensorFlow's own module; values of one's own go to the writers of this class",
    },
}
